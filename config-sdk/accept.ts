/** What a configuration accepts: findings lowered to notes for a written reason, and reasons for what is no longer there. */
import { handleIndex, isObject, isUnknown } from './compile/places.ts';
import { handlesIn } from './compile/reach.ts';
import { entryOf } from './findings.ts';
import type { LoadedDeclaration } from './load/document.ts';
import type { Problem } from './rules/rule.ts';

interface Acceptance {
  readonly position: number;
  readonly code: string;
  readonly reason: string;
  /** Declarations that it is about; undefined for all. */
  readonly declarations: ReadonlySet<number> | undefined;
  readonly file: string | undefined;
}

/** A few letters are no reason. */
const shortestReason = 8;

type Declarations = readonly LoadedDeclaration[];

/** A declaration and what only exists as a part of it: targets and groups of a model, the values of its prompt. */
function withParts(declarations: Declarations, index: number, found = new Set<number>()): Set<number> {
  found.add(index);
  for (const { index: part } of handlesIn(declarations[index]?.spec)) {
    const isPart = ['target', 'group', 'bound-prompt'].includes(declarations[part]?.sort ?? '');
    if (isPart && !found.has(part)) withParts(declarations, part, found);
  }
  return found;
}

/** The entries as they are written, good or not. */
export function acceptedEntries(declarations: Declarations, gateway: number): readonly unknown[] {
  const spec = declarations[gateway]?.spec;
  const list = isObject(spec) ? spec['accept'] : undefined;
  if (Array.isArray(list)) return list;
  // Refused as one entry that is none.
  return list === undefined || isUnknown(list) ? [] : [list];
}

function refusalOf(entry: unknown): { key: string; why: string } | undefined {
  if (!isObject(entry)) return { key: '', why: 'is not { code, in, reason }' };
  const { code, reason } = entry;
  const known = typeof code === 'string' ? entryOf(code) : undefined;
  if (!known) return { key: 'code', why: 'names a code that check does not know' };
  if (!known.acceptable) return { key: 'code', why: `names ${String(code)}, which cannot be accepted` };
  if (typeof reason !== 'string' || reason.trim().length < shortestReason)
    return { key: 'reason', why: 'gives no reason in words' };
  const within = entry['in'];
  if (within !== undefined && typeof within !== 'string' && handleIndex(within) === undefined)
    return { key: 'in', why: 'is about neither a declared object nor the path of a file' };
  return undefined;
}

function readAcceptances(declarations: Declarations, gateway: number): { good: Acceptance[]; bad: Problem[] } {
  const good: Acceptance[] = [];
  const bad: Problem[] = [];
  for (const [position, entry] of acceptedEntries(declarations, gateway).entries()) {
    if (isUnknown(entry)) continue;
    const refusal = refusalOf(entry);
    if (refusal) {
      const path = [
        'accept',
        position,
        ...(refusal.key && isObject(entry) && refusal.key in entry ? [refusal.key] : []),
      ];
      const message = `defineGateway: accept[${position}] ${refusal.why}`;
      bad.push({ code: 'bad_acceptance', place: { declaration: gateway, path }, message });
    } else if (isObject(entry)) {
      const index = handleIndex(entry['in']);
      good.push({
        position,
        code: String(entry['code']),
        reason: String(entry['reason']).trim(),
        declarations: index === undefined ? undefined : withParts(declarations, index),
        file: typeof entry['in'] === 'string' ? entry['in'] : undefined,
      });
    }
  }
  return { good, bad };
}

function covers({ code, declarations, file }: Acceptance, { code: found, place }: Problem, of: Declarations): boolean {
  if (code !== found) return false;
  if (file !== undefined) return file === ('file' in place ? place.file : of[place.declaration]?.position.file);
  return declarations === undefined || (!('file' in place) && declarations.has(place.declaration));
}

/** The problems with what is accepted marked as such, and those of the list itself. */
export function applyAcceptances(problems: readonly Problem[], declarations: Declarations, gateway: number): Problem[] {
  const { good, bad } = readAcceptances(declarations, gateway);
  const used = new Set<Acceptance>();
  const judged = problems.map((problem): Problem => {
    const fitting = good.filter((each) => covers(each, problem, declarations));
    for (const each of fitting) used.add(each);
    const [first] = fitting;
    return first ? { ...problem, accepted: first.reason } : problem;
  });
  const stale = good
    .filter((each) => !used.has(each))
    .map(({ position, code }): Problem => {
      const message = `defineGateway: accept[${position}] excuses ${code}, which is not there`;
      return { code: 'stale_acceptance', place: { declaration: gateway, path: ['accept', position] }, message };
    });
  return [...judged, ...bad, ...stale];
}
