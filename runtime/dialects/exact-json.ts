/** JSON in which whole numbers keep all of their digits: a number of JavaScript has room for sixteen, and ids and seeds have more. */
import type { Json } from '../call.ts';

/** The digits of such members stand beside them under this name: a copy of their object has them too, and JSON does not. */
const digits = Symbol('digits');

interface Holder {
  [digits]?: Map<string, string>;
}

const longest = 16;

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
};

/** What stands before a whole number in JSON, its sign aside, and after it; nothing does where the text ends. Ids in texts have other neighbours. */
const isBesideNumber = (character: string): boolean => ':,[]} \t\r\n'.includes(character);

function standsAlone(text: string, from: number, to: number): boolean {
  const before = text[from - 1] === '-' ? from - 2 : from - 1;
  return isBesideNumber(text[before] ?? '') && isBesideNumber(text[to] ?? '');
}

/** Most texts have no such number, and cost no more than to see that: sixteen digits in a row cannot miss every sixteenth place. */
function mayBeLong(text: string): boolean {
  for (let at = longest - 1; at < text.length; at += longest) {
    if (!isDigit(text, at)) continue;
    let from = at;
    while (isDigit(text, from - 1)) from -= 1;
    while (isDigit(text, at + 1)) at += 1;
    if (at - from + 1 >= longest && standsAlone(text, from, at + 1)) return true;
  }
  return text.includes('e+') && /\de\+\d/.test(text);
}

/** To look at each member takes its time: of a text with more of them all other requests would wait, and it is read as ever. */
const mostCommas = 50_000;

function isWorthIt(text: string): boolean {
  if (!mayBeLong(text)) return false;
  let commas = 0;
  for (let at = text.indexOf(','); at >= 0 && commas <= mostCommas; at = text.indexOf(',', at + 1)) commas += 1;
  return commas <= mostCommas;
}

/** Both as of ECMAScript 2026, which the types do not know yet (tc39/proposal-json-parse-with-source). */
interface ExactJson {
  parse(
    text: string,
    revive: (this: Holder, key: string, value: Json, context: { readonly source?: string }) => Json,
  ): unknown;
  rawJSON(text: string): Json;
}
const exact = JSON as unknown as ExactJson;

/** Throws `SyntaxError`. */
export function parseExact(text: string): unknown {
  if (!isWorthIt(text)) return JSON.parse(text);
  return exact.parse(text, function keepDigits(key, value, { source = '' }) {
    const isRounded = typeof value === 'number' && !Number.isSafeInteger(value) && String(value) !== source;
    if (isRounded && /^-?\d+$/.test(source)) (this[digits] ??= new Map()).set(key, source);
    return value;
  });
}

/** A member that was changed since is written as it is now. */
export function writeExact(value: unknown): string {
  const text = JSON.stringify(value);
  if (!isWorthIt(text)) return text;
  return JSON.stringify(value, function withDigits(this: Holder, key, each: Json) {
    const source = typeof each === 'number' ? this[digits]?.get(key) : undefined;
    return source !== undefined && Number(source) === each ? exact.rawJSON(source) : each;
  });
}

/** For an object that is made of another's members one by one. */
export function withDigitsOf<Made extends object>(from: object, made: Made): Made {
  const kept = (from as Holder)[digits];
  return kept === undefined ? made : Object.assign(made, { [digits]: kept });
}
