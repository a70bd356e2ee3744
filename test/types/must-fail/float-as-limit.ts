/** Money is a text: a float would lose digits of it. */
import { quota } from 'headgate';

quota('budget', { unit: 'usd', limit: 12.5, window: '1d' });
//                             ^ Type 'number' is not assignable to type '`${number}`'
