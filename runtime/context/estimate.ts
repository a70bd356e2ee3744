/**
 * Estimates tokens from text without a tokenizer: linear, some microseconds per kilobyte, the same on every machine.
 * It aims a little high for `o200k_base`; a policy's `margin` covers vendors whose tokenizers make more of the same text.
 *
 * Tokenizers of this family first cut text into runs of one kind (letters, up to three digits, spaces, symbols) and
 * then look for known pieces inside each. The cuts are known here, the pieces are not: they are priced by how much a
 * run looks like a word. The prices were fitted to prose in many languages, code, data and noise.
 */

const latin = 0;
const digit = 1;
const space = 2;
const symbol = 3;
const letter = 4;
const ideograph = 5;
const other = 6;

function classify(code: number): number {
  if (code < 0x80) {
    if ((code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)) return latin;
    if (code >= 0x30 && code <= 0x39) return digit;
    return code === 0x20 || (code >= 0x09 && code <= 0x0d) ? space : symbol;
  }
  if (code >= 0xc0 && code <= 0x24f) return latin;
  // From Greek to the syllabaries of Africa and Asia, combining marks included.
  if (code >= 0x300 && code < 0x2000) return letter;
  if ((code >= 0x2e80 && code < 0xd800) || (code >= 0xf900 && code < 0xfe00) || code >= 0xff00) return ideograph;
  return other;
}

/** By character code, all 65,536 of them: looked up for every character, and a chain of comparisons is several times slower. */
const kinds = Uint8Array.from({ length: 0x1_0000 }, (_, code) => classify(code));
const kindOf = (code: number): number => kinds[code] ?? other;
const vowels = Uint8Array.from({ length: 0x250 }, (_, code) =>
  code >= 0x80 || /[aeiouy]/i.test(String.fromCharCode(code)) ? 1 : 0,
);
const isUpper = (code: number) => code >= 0x41 && code <= 0x5a;

/** After so many consonants in a row, one more: clusters that hardly any word has are keys, hashes, abbreviations. */
const afterConsonants = Float64Array.of(0.08, 0.08, 0.34, 1);

/** Where the last run of letters that was priced ends: one pass finds the end and the price. */
let end = 0;

function priceLatin(text: string, from: number): number {
  let tokens = 1;
  let same = 0;
  let previous = text.charCodeAt(from);
  let consonants = vowels[previous] === 1 ? 0 : 1;
  let wasUpper = isUpper(previous);
  let at = from + 1;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (kinds[code] !== latin) break;
    const isVowel = vowels[code] === 1;
    const isCapital = isUpper(code);
    same = code === previous ? same + 1 : 0;
    if (same > 1) tokens += 0.13;
    else {
      if (code >= 0x80) tokens += 0.7;
      // Camel case: a new word.
      else if (isCapital) tokens += wasUpper ? 0.32 : 0.9;
      else tokens += isVowel ? 0.08 : (afterConsonants[consonants] ?? 1);
      // Long runs are several words.
      if ((at - from) % 8 === 0) tokens += 0.45;
    }
    consonants = isVowel ? 0 : Math.min(3, consonants + 1);
    wasUpper = isCapital;
    previous = code;
  }
  end = at;
  return tokens;
}

/** Runs of spaces are single tokens, up to a length; one space belongs to the word after it, but not to a number. */
function priceSpace(text: string, from: number, to: number): number {
  let lineEnds = 0;
  let since = 0;
  for (let at = from; at < to; at += 1) {
    const isLineEnd = text.charCodeAt(at) === 0x0a;
    if (isLineEnd) lineEnds += 1;
    since = isLineEnd ? 0 : since + 1;
  }
  const beforeDigit = to < text.length && kindOf(text.charCodeAt(to)) === digit;
  const indent = since > 1 || (since === 1 && beforeDigit) ? 1 : 0;
  // A symbol takes the line end after it along.
  const afterSymbol = from > 0 && kindOf(text.charCodeAt(from - 1)) === symbol;
  const lines = lineEnds === 0 ? 0 : afterSymbol ? 0.3 : 1;
  return lines + indent + (to - from) / 128;
}

/** Alone before a letter it often joins the word; neighbours of frequent sorts are one token. */
function priceSymbols(text: string, from: number, to: number): number {
  const beforeLetter = to - from === 1 && to < text.length && kindOf(text.charCodeAt(to)) === latin;
  let tokens = beforeLetter ? 0.6 : 1;
  for (let at = from + 1; at < to; at += 1) tokens += text.charCodeAt(at) === text.charCodeAt(at - 1) ? 0.02 : 0.42;
  return tokens;
}

function priceOther(text: string, from: number, to: number): number {
  let tokens = 0;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    const repeated = at > from && code === text.charCodeAt(at - 1);
    // Half of a pair (emoji and rare scripts), what joins or colours emoji, and all sorts of signs.
    if (code >= 0xd800 && code <= 0xdfff) tokens += 1.1;
    else if (code === 0x200d || code >= 0xfe00) tokens += 0.6;
    else tokens += repeated ? 0.3 : 1.4;
  }
  return tokens;
}

function price(kind: number, text: string, from: number, to: number): number {
  switch (kind) {
    case digit:
      return Math.ceil((to - from) / 3);
    case space:
      return priceSpace(text, from, to);
    case symbol:
      return priceSymbols(text, from, to);
    case letter:
      return 0.35 + (to - from) * 0.3 + Math.max(0, to - from - 12) * 0.15;
    case ideograph:
      return to - from;
    default:
      return priceOther(text, from, to);
  }
}

export function estimateTokens(text: string): number {
  let tokens = 0;
  for (let from = 0; from < text.length;) {
    const kind = kindOf(text.charCodeAt(from));
    if (kind === latin) {
      tokens += priceLatin(text, from);
      from = end;
      continue;
    }
    let to = from + 1;
    while (to < text.length && kinds[text.charCodeAt(to)] === kind) to += 1;
    // What stands between most words.
    const isPlain =
      kind === space && to === from + 1 && text.charCodeAt(from) === 0x20 && kinds[text.charCodeAt(to)] === latin;
    tokens += isPlain ? 1 / 128 : price(kind, text, from, to);
    from = to;
  }
  return Math.ceil(tokens);
}
