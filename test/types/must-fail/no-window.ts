/** A model that the catalogue does not know, without its window. */
import { provider } from 'headgate';

provider('local', { kind: 'openai', models: { 'gpt-4.1': {}, 'our-own': {} } });
//                                                           ^ Property 'contextWindow' is missing
