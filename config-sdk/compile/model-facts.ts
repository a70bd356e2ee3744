/** Facts of a model as they are published: those of the catalogue, and over them what a config states. */
import { everyPrice, type DatedPrices, type PriceTable } from '@headgate/runtime/snapshot';
import { catalogue, knownModel } from '../catalogue/catalogue.ts';
import type { Json } from '../load/document.ts';
import { isObject, isUnknown, type JsonObject, type Path } from './places.ts';

/** What every kind of provider may say of a model. */
export const factNames = ['contextWindow', 'maxOutputTokens', 'kind', 'capabilities', 'prices'];

type JsonRecord = { readonly [key: string]: unknown };
type Mark = <Value extends JsonRecord | readonly unknown[]>(path: Path, value: Value) => Value;

/** Leaves out what other prices had taken the place of when the catalogue was taken, and the date of those that did. */
function stillHolding(known: PriceTable): PriceTable {
  const all = everyPrice(known);
  const now = all.findLastIndex(({ from }) => from === undefined || from <= catalogue.taken);
  const [{ from: _, ...current }, ...later] = all.slice(Math.max(0, now)) as [DatedPrices, ...DatedPrices[]];
  return later.length === 0 ? current : [current, ...later];
}

/** Before the first day that an author names, the catalogue holds, with all that it knows of former prices. */
function before(written: readonly Json[], known: PriceTable | undefined): readonly DatedPrices[] {
  const from = isObject(written[0]) ? written[0]['from'] : undefined;
  if (typeof from !== 'string' || known === undefined) return [];
  return everyPrice(known).filter((each) => each.from === undefined || Date.parse(each.from) < Date.parse(from));
}

function pricesOver(written: Json, known: PriceTable | undefined, mark: Mark): unknown {
  if (!Array.isArray(written)) return written;
  const own = written.map((each: Json, index) =>
    isObject(each) && !isUnknown(each) ? mark(['prices', index], { ...each }) : each,
  );
  return mark(['prices'], [...before(written, known), ...own]);
}

/**
 * What the author says wins; a date that only reviewers need stays behind. `mark` notes below the model where something was
 * written. Whatever is wrong with it is the schema's to say.
 */
export function factsOver(
  written: JsonObject,
  { kind, id }: { readonly kind: Json | undefined; readonly id: string },
  mark: Mark,
): JsonRecord {
  const found = typeof kind === 'string' ? knownModel(kind, id) : undefined;
  const { deprecation: _, prices: known, ...rest } = found ?? {};
  const stated = written['prices'];
  if (stated !== undefined) return { ...rest, ...written, prices: pricesOver(stated, known, mark) };
  return { ...rest, ...(known && { prices: stillHolding(known) }), ...written };
}
