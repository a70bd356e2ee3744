/**
 * Estimates tokens from text without a tokenizer: linear, some microseconds per kilobyte, the same on every machine.
 * It aims a little high for `o200k_base`; a policy's `margin` covers vendors whose tokenizers make more of the same text.
 *
 * Tokenizers of this family first cut text into runs of one kind (letters, up to three digits, spaces, symbols) and
 * then look for known pieces inside each. The cuts are known here, the pieces are not: they are priced by how much a
 * run looks like a word. The prices were fitted to prose in many languages, code, data and noise.
 */

type Kind = 'latin' | 'digit' | 'space' | 'symbol' | 'letter' | 'ideograph' | 'other';

function classify(code: number): Kind {
  if (code < 0x80) {
    if ((code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)) return 'latin';
    if (code >= 0x30 && code <= 0x39) return 'digit';
    return code === 0x20 || (code >= 0x09 && code <= 0x0d) ? 'space' : 'symbol';
  }
  if (code >= 0xc0 && code <= 0x24f) return 'latin';
  // From Greek to the syllabaries of Africa and Asia, combining marks included.
  if (code >= 0x300 && code < 0x2000) return 'letter';
  if ((code >= 0x2e80 && code < 0xd800) || (code >= 0xf900 && code < 0xfe00) || code >= 0xff00) return 'ideograph';
  return 'other';
}

/** By character code: looked up for every character, and a chain of comparisons is several times slower. */
const asciiKinds = Array.from({ length: 0x80 }, (_, code) => classify(code));
const kindOf = (code: number): Kind => asciiKinds[code] ?? classify(code);
const vowels = Array.from({ length: 0x250 }, (_, code) => code >= 0x80 || /[aeiouy]/i.test(String.fromCharCode(code)));
const isUpper = (code: number) => code >= 0x41 && code <= 0x5a;

/** The letter at `at`, which is not the first of its run. `consonants` counts those just before it. */
function tailLetter(code: number, previous: number, consonants: number): number {
  if (code >= 0x80) return 0.7;
  // Camel case: a new word.
  if (isUpper(code)) return isUpper(previous) ? 0.32 : 0.9;
  // Clusters that hardly any word has: keys, hashes, abbreviations.
  if (consonants >= 3) return 1;
  return consonants === 2 ? 0.34 : 0.08;
}

function priceLatin(text: string, from: number, to: number): number {
  let tokens = 1;
  let consonants = 0;
  let same = 0;
  let previous = text.charCodeAt(from);
  if (vowels[previous] !== true) consonants = 1;
  for (let at = from + 1; at < to; at += 1) {
    const code = text.charCodeAt(at);
    same = code === previous ? same + 1 : 0;
    const isVowel = vowels[code] === true;
    tokens += same > 1 ? 0.13 : tailLetter(code, previous, isVowel ? 0 : consonants);
    // Long runs are several words.
    if ((at - from) % 8 === 0) tokens += same > 1 ? 0 : 0.45;
    consonants = isVowel ? 0 : consonants + 1;
    previous = code;
  }
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
  const beforeDigit = to < text.length && kindOf(text.charCodeAt(to)) === 'digit';
  const indent = since > 1 || (since === 1 && beforeDigit) ? 1 : 0;
  // A symbol takes the line end after it along.
  const afterSymbol = from > 0 && kindOf(text.charCodeAt(from - 1)) === 'symbol';
  const lines = lineEnds === 0 ? 0 : afterSymbol ? 0.3 : 1;
  return lines + indent + (to - from) / 128;
}

/** Alone before a letter it often joins the word; neighbours of frequent sorts are one token. */
function priceSymbols(text: string, from: number, to: number): number {
  const beforeLetter = to - from === 1 && to < text.length && kindOf(text.charCodeAt(to)) === 'latin';
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

function price(kind: Kind, text: string, run: { from: number; to: number }): number {
  const { from, to } = run;
  switch (kind) {
    case 'latin':
      return priceLatin(text, from, to);
    case 'digit':
      return Math.ceil((to - from) / 3);
    case 'space':
      return priceSpace(text, from, to);
    case 'symbol':
      return priceSymbols(text, from, to);
    case 'letter':
      return 0.35 + (to - from) * 0.3 + Math.max(0, to - from - 12) * 0.15;
    case 'ideograph':
      return to - from;
    case 'other':
      return priceOther(text, from, to);
  }
}

export function estimateTokens(text: string): number {
  let tokens = 0;
  for (let from = 0; from < text.length;) {
    const kind = kindOf(text.charCodeAt(from));
    let to = from + 1;
    while (to < text.length && kindOf(text.charCodeAt(to)) === kind) to += 1;
    tokens += price(kind, text, { from, to });
    from = to;
  }
  return Math.ceil(tokens);
}
