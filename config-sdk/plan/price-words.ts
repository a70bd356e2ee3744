/** What changes about the prices of a model: what is charged for, per which unit, for which calls and from when. */
import { everyPrice, pricesAt, type Prices, type PriceTable, type Rates } from '@headgate/runtime/snapshot';
import { grouped } from './change.ts';
import { dollars } from './limit-words.ts';

const sorts: Readonly<Record<keyof Rates, string>> = {
  input: 'input',
  cachedInput: 'cached input',
  cacheWrite: 'input put into the cache',
  cacheWriteHour: 'input cached for an hour',
  audioInput: 'audio input',
  cachedAudioInput: 'cached audio input',
  imageInput: 'image input',
  cachedImageInput: 'cached image input',
  output: 'output',
  reasoning: 'reasoning',
  audioOutput: 'audio output',
  imageOutput: 'image output',
  citations: 'citations',
};

/** Each at what it is charged for, per million tokens. */
const ratesOf = (rates: Partial<Rates>): readonly (readonly [what: string, price: string | undefined])[] =>
  Object.entries(sorts).map(([sort, what]) => [what, rates[sort as keyof Rates]]);

function feesOf({ request, search }: Partial<Prices>): readonly (readonly [what: string, price: string | undefined])[] {
  const depths = typeof search === 'object' ? Object.entries(search) : [];
  return [
    ['each call', request],
    ['each search', typeof search === 'string' ? search : undefined],
    ...depths.map(([depth, price]) => [`each search of ${depth} depth`, price] as const),
  ];
}

const fees = '';

type Charges = ReadonlyMap<string, string>;

/** By the calls that they are for, and what is charged for. */
function chargesOf(prices: Prices | undefined): ReadonlyMap<string, Charges> {
  const found = new Map<string, Charges>();
  const add = (group: string, charges: readonly (readonly [string, string | undefined])[]) =>
    found.set(
      group,
      new Map(charges.flatMap(([what, price]) => (price === undefined ? [] : [[what, dollars(price)]]))),
    );
  if (!prices) return found;
  add('per million tokens', ratesOf(prices));
  for (const tier of prices.long ?? [])
    add(`per million tokens of calls with more than ${grouped(tier.above)} of input`, ratesOf(tier));
  add(fees, feesOf(prices));
  return found;
}

/** What is told of a group where something in it has no price. */
const absent = (group: string, prices: Prices | undefined): string =>
  prices && group !== fees ? 'no price of its own' : 'none';

function differences(before: Prices | undefined, after: Prices | undefined): string | undefined {
  const [old, now] = [chargesOf(before), chargesOf(after)];
  const groups = [...new Set([...old.keys(), ...now.keys()])].flatMap((group): string[] => {
    const [was, is] = [old.get(group) ?? new Map<string, string>(), now.get(group) ?? new Map<string, string>()];
    const whats = [...new Set([...was.keys(), ...is.keys()])].filter((what) => was.get(what) !== is.get(what));
    if (whats.length === 0) return [];
    const priced = (charges: Charges, what: string, prices: Prices | undefined): string =>
      charges.get(what) ?? absent(group, prices);
    const parts = whats.map((what) => `${what} ${priced(was, what, before)} → ${priced(is, what, after)}`);
    return [`${parts.join(', ')}${group === fees ? '' : ` ${group}`}`];
  });
  return groups.length === 0 ? undefined : groups.join('; ');
}

interface Span {
  /** Undefined: from the beginning of time. */
  readonly from: string | undefined;
  readonly words: string | undefined;
}

function whenInWords({ from }: Span, until: Span | undefined): string {
  if (from === undefined) return until ? `before ${until.from}: ` : '';
  return until ? `from ${from} until ${until.from}: ` : `from ${from} on: `;
}

/** At each time that either side tells apart. Empty where the same is charged at all times. */
export function priceChanges(before: PriceTable | undefined, after: PriceTable | undefined): readonly string[] {
  const tables = [before, after].flatMap((each) => (each ? everyPrice(each) : []));
  const moments = [...new Set(tables.flatMap(({ from }) => from ?? []))].toSorted(
    (one, other) => Date.parse(one) - Date.parse(other),
  );
  const at = (table: PriceTable | undefined, from: string | undefined) =>
    table && pricesAt(table, from === undefined ? -Infinity : Date.parse(from));
  const spans: Span[] = [];
  for (const from of [undefined, ...moments]) {
    const span = { from, words: differences(at(before, from), at(after, from)) };
    if (spans.length === 0 || spans.at(-1)?.words !== span.words) spans.push(span);
  }
  return spans.flatMap((span, index) => (span.words ? `${whenInWords(span, spans[index + 1])}${span.words}` : []));
}
