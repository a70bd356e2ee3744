/** A window for what is in flight: what has ended counts no more. */
import { quota } from 'headgate';

quota('at-once', { unit: 'concurrency', limit: 4, window: '1h' });
//                                                ^ 'window' does not exist in type
