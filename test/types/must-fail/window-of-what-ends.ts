/** A window for what is in flight: what has ended counts no more. */
import { quota } from 'headgate';

quota('at-once', { unit: 'concurrency', limit: 4, window: '1h' });
//                                                ^ Type 'string' is not assignable to type 'undefined'
