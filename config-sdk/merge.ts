/** One mistake, one finding: of what the compiler, the evaluation and the rules say of the same value, the most telling stays. */
import { catalogue, nearModels } from './catalogue/catalogue.ts';
import { finding, type Finding, type FindingCode } from './findings.ts';
import type { Spot } from './locate.ts';

/** Names that only exist where configuration may not look; the compiler just calls them unknown. */
const impureNames =
  /^Cannot find name '(process|crypto|performance|navigator|fetch|setTimeout|setInterval|setImmediate|WebSocket|EventSource|require|Buffer|__dirname|__filename|node:[\w/]+)'/;

/** How the types of `fitting.ts` say why something does not fit: the name of a property, and its value ends the sentence. */
const unfit = /Property '"([^"]+)"' is missing in type .* but required in type '\{ "\1": (.+?);? \}'/;

/** Only models that the catalogue does not know must say how large they are. */
const unknownToCatalogue = /Property 'contextWindow' is missing in type /;

function unknownModel(each: Finding, id: string): Finding {
  const [meant] = nearModels(id);
  const message = `model '${id}' needs a contextWindow: the catalogue (as of ${catalogue.taken}) does not know it`;
  return {
    ...each,
    message,
    hint: meant === undefined ? 'write contextWindow' : `write it, or did you mean '${meant}'?`,
  };
}

/** Says of a compiler finding, at the value of property `key`, what it means for configuration. */
function inOurWords(each: Finding, key: string | undefined): Finding {
  if (key !== undefined && unknownToCatalogue.test(each.message)) return unknownModel(each, key);
  const [, subject, rest = ''] = unfit.exec(each.message) ?? [];
  if (subject) return finding('target_unfit', each, `${subject} ${rest.replaceAll('"', '').replaceAll(' | ', ', ')}`);
  const name = impureNames.exec(each.message)?.[1];
  if (!name) return each;
  if (name.startsWith('node:')) return finding('impure_import', each, `'${name}' is not part of this repository`);
  return finding('impure_code', each, `${name} gives something else on every run or machine`);
}

export interface Compiled {
  readonly finding: Finding;
  /** The property or position that the finding is about. */
  readonly last: string | undefined;
}

export interface Said {
  readonly types: readonly Finding[];
  readonly loading: readonly Finding[];
  readonly compiling: readonly Compiled[];
}

/** Codes that say more than the compiler or the schema does about the same value. */
const outspoken = new Set<string>([
  'impure_import',
  'impure_code',
  'plaintext_key',
  'secret_literal',
  'secret_suspected',
] satisfies FindingCode[]);
/** What the schema says; it is the shadow of something outspoken at the same value. */
const bySchema = new Set<string>([
  'invalid_value',
  'missing_value',
  'unknown_property',
  'wrong_reference',
  'not_data',
] satisfies FindingCode[]);
/** Codes for what the compiler cannot know. The rest, at a value that it objects to, repeats its objection. */
const beyondTypes = new Set<string>([
  'bad_name',
  'consumer_without_keys',
  'context_does_not_fit',
  'duplicate_key',
  'duplicate_name',
  'invariant_about_nothing',
  'invariant_failed',
  'invariant_violated',
  'machine_path',
  'model_without_consumer',
  'no_consumers',
  'not_served',
  'route_never_matches',
  'route_shadowed',
  'strip_prefix_mismatch',
  'unused_declaration',
] satisfies FindingCode[]);
/** About the name of a property: whatever is wrong with its value besides is another mistake. */
const aboutNames = new Set(['unknown_property', 'TS2353', 'TS2561']);
/** The evaluation stopped at something that the compiler names on the same line, at another column. */
const stopped = new Set<string>(['config_failed', 'used_before_declared', 'import_not_found'] satisfies FindingCode[]);
/** What a name that nothing declares is called; a property that holds it is not thereby judged. */
const unknownNames = new Set(['TS2304', 'TS2552', 'impure_code']);

type Placed = Finding & { readonly spot: Spot; readonly last?: string | undefined };

const sameValue = (a: Placed, b: Placed): boolean => a.file === b.file && a.spot.start === b.spot.start;

/** Something outspoken stands where `each` points. */
const drownedBy =
  (loud: readonly Placed[]) =>
  (each: Placed): boolean =>
    !aboutNames.has(each.code) && loud.some((other) => sameValue(each, other));

/** Both say of the same target that it cannot do something. Types do so in the compiler's words when several cannot. */
function sameMisfit(ours: Placed, theirs: Placed): boolean {
  const [subject] = /^\S+ (lacks|is no model for|has no price)/.exec(ours.message) ?? [];
  return ours.code === 'target_unfit' && subject !== undefined && theirs.message.includes(subject);
}

/**
 * The rule knows every target and the reserve; the types only compare the budget with one window. Of several targets in a
 * group that do not fit, the rule speaks one by one.
 */
function saysMore(ours: Placed, theirs: Placed): boolean {
  // The rule speaks of the quota that was declared, the types of each model that lists it.
  if (ours.code === 'quota_downgrade_unfit') return theirs.message.startsWith('it sends calls to');
  if (!sameValue(ours, theirs)) return false;
  if (theirs.code === 'target_unfit') return ours.code === 'context_does_not_fit';
  return sameMisfit(ours, theirs);
}

/** The compiler speaks of the value that `ours` speaks of, or of one around it while naming it, or of a part of it. */
function repeats(ours: Placed, theirs: Placed): boolean {
  if (ours.file !== theirs.file) return false;
  if (stopped.has(ours.code)) return ours.line === theirs.line;
  if (sameValue(ours, theirs)) return !(aboutNames.has(ours.code) && unknownNames.has(theirs.code));
  const names = ours.last === undefined ? [] : [ours.last];
  for (const { start, key } of ours.spot.around) {
    if (key !== undefined) names.push(key);
    if (start === theirs.spot.start) return names.some((name) => theirs.message.includes(`'${name}'`));
  }
  const inside = theirs.spot.start > ours.spot.start && theirs.spot.start < ours.spot.end;
  // In a list with a spread in it, only the compiler knows the place of a target.
  if (inside && sameMisfit(ours, theirs)) return true;
  // Only the length of a list can be wrong as a whole, and a missing property has no parts.
  const { key, list } = ours.spot;
  const whole = bySchema.has(ours.code) && ours.code !== 'missing_value' && key === ours.last && !list;
  return whole && inside;
}

export function merge({ types, loading, compiling }: Said, spotOf: (finding: Finding) => Spot): Finding[] {
  const placed = (each: Finding, last?: string): Placed => ({ ...each, spot: spotOf(each), last });
  const ours = [...loading.map((each) => placed(each)), ...compiling.map((each) => placed(each.finding, each.last))];
  const drowned = drownedBy(ours.filter(({ code }) => outspoken.has(code)));
  const said = types
    .map((each) => placed(inOurWords(each, spotOf(each).key)))
    .filter((each) => !drowned(each) && !ours.some((other) => saysMore(other, each)));
  const rest = ours.filter((each) => {
    if (outspoken.has(each.code)) return true;
    if (bySchema.has(each.code) && drowned(each)) return false;
    return beyondTypes.has(each.code) || !said.some((other) => repeats(each, other));
  });
  return [...said, ...rest].map(({ spot: _spot, last: _last, ...each }) => each);
}
