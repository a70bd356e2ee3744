/** Money as a number. */
import { provider } from 'headgate';

provider('local', { kind: 'openai', models: { 'gpt-4.1': { prices: { input: 0.1, output: '0.2' } } } });
//                                                                   ^ Type 'number' is not assignable
