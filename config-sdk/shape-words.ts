/** What the compiler's messages mean where something has another shape: one value in place of a list, and what are no prices. */
import { near } from './explain/near.ts';
import type { ModelPrices } from './prices.ts';
import { inWords, notAssignable, type Wording } from './type-words.ts';

const parts = [
  'input',
  'output',
  'cachedInput',
  'cacheWrite',
  'cacheWriteHour',
  'audioInput',
  'cachedAudioInput',
  'imageInput',
  'cachedImageInput',
  'reasoning',
  'audioOutput',
  'imageOutput',
  'citations',
  'long',
  'request',
  'search',
] as const satisfies readonly (keyof ModelPrices)[];

const anyList = String.raw`readonly [^']*\]|Texts|Many<[^']*`;
/** A list of something else is another mistake. */
const noList = String.raw`^(?!Type '[^']*\]' is )`;
const inBrackets = 'put it in brackets: [ … ]';
const anyPrices = '(?:DatedPriceList|DatedPrices|ModelPrices|LongPrices)<';

export const shapeWordings: readonly Wording[] = [
  [
    new RegExp(`^Type .*'${anyPrices}.* Property '(\\w+)' is missing in type `),
    (name = '') => ({ message: `'${name}' is missing`, hint: 'add the property' }),
  ],
  [
    new RegExp(`${notAssignable}'${anyPrices}`),
    (given = '') => ({
      message: `prices are expected here, not ${inWords(given)}`,
      hint: "write USD per million tokens such as { input: '1.25', output: '10' }, or a list of such with the days `from` which they hold",
    }),
  ],
  [
    new RegExp(
      `^Object literal may only specify known properties, (?:and|but) '"?(\\w+)"?' does not exist in type '${anyPrices}`,
    ),
    (name = '') => {
      const [meant] = near(name, parts);
      return {
        message: `'${name}' is no part of prices`,
        hint: meant === undefined ? `they have ${parts.join(', ')}` : `did you mean '${meant}'?`,
      };
    },
  ],
  [
    /^Object literal may only specify known properties, (?:and|but) '"?\w+"?' does not exist in type 'readonly [^']*\]'/,
    () => ({ message: 'a list is expected here, not an object', hint: 'put it in brackets: [{ … }]' }),
  ],
  [
    /^Type '(.+?)' is missing the following properties from type 'readonly [^']*\]': length, /,
    (given = '') => ({ message: `a list is expected here, not ${inWords(given)}`, hint: inBrackets }),
  ],
  [
    new RegExp(`${notAssignable}'string \\| Texts`),
    (given = '') => ({
      message: `a text is expected here, or a list of them, not ${inWords(given)}`,
      hint: 'give such',
    }),
  ],
  [
    new RegExp(`${noList}${notAssignable}'(?:${anyList})(?: \\| undefined)?'`),
    (given = '') => ({ message: `a list is expected here, not ${inWords(given)}`, hint: inBrackets }),
  ],
];
