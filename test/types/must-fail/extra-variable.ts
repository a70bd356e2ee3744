/** A value for a variable that the prompt does not have. */
import { support } from './shared.ts';

support.with({ name: 'Ada', tone: 'formal', age: '36' });
//                                          ^ 'age' does not exist
