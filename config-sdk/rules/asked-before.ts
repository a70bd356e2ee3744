/**
 * Rules that had nothing to say, with all that they had looked at: while nothing of that has changed they have nothing to say.
 * What they did say is said anew each time, because its place may have moved.
 */
import type { LoadedDeclaration } from '../load/document.ts';
import { noted, Observed, type LookedAt } from './looked-at.ts';
import type { CompiledObject, Problem, Project, Rule } from './rule.ts';

interface Asked {
  readonly project: Project;
  readonly silent: ReadonlyMap<Rule, ReadonlySet<LookedAt>>;
}

/** By the declaration of the gateway: forgotten with it, which is when something was listed or is no more. */
const asked = new WeakMap<LoadedDeclaration, Asked>();

type Members = ReadonlySet<unknown> | readonly unknown[] | undefined;

function sameMembers(these: Members, those: Members): boolean {
  if (these === those) return true;
  const [left, right] = [[...(these ?? [])], [...(those ?? [])]];
  return (
    (these === undefined) === (those === undefined) &&
    left.length === right.length &&
    left.every((each, index) => each === right[index])
  );
}

/** The sorts of which an object is not what stood in its place before. */
function changedSorts(before: Project, now: Project): ReadonlySet<LookedAt> {
  const changed = new Set<LookedAt>();
  const isSame = (one: CompiledObject | undefined, other: CompiledObject | undefined): boolean =>
    one !== undefined &&
    other !== undefined &&
    one.value === other.value &&
    one.sort === other.sort &&
    one.index === other.index &&
    one.sound === other.sound &&
    before.declarations[one.index] === now.declarations[other.index] &&
    before.published?.has(one.index) === now.published?.has(other.index);
  for (let at = 0; at < Math.max(before.objects.length, now.objects.length); at += 1) {
    const [one, other] = [before.objects[at], now.objects[at]];
    if (isSame(one, other)) continue;
    for (const each of [one, other]) if (each) changed.add(each.sort);
  }
  return changed;
}

/** Tells of a part whether it is what it was. */
function standing(before: Project, now: Project): (what: LookedAt) => boolean {
  const sorts = changedSorts(before, now);
  const known = new Map<LookedAt, boolean>();
  const compare = (what: LookedAt): boolean => {
    switch (what) {
      case 'objects':
        return sorts.size === 0;
      case 'directory':
        return before.directory === now.directory;
      case 'gateway':
        return before.gateway?.declaration === now.gateway?.declaration;
      case 'declarations':
      case 'listed':
      case 'published':
      case 'missed':
      case 'unusedFiles':
        return sameMembers(before[what], now[what]);
      default:
        return !sorts.has(what);
    }
  };
  return (what) => {
    const stands = known.get(what) ?? compare(what);
    known.set(what, stands);
    return stands;
  };
}

/** What the rules say of a project, in their order. */
export function problemsIn(project: Project, rules: readonly Rule[]): Problem[] {
  const root = project.declarations[project.gateway?.declaration ?? -1];
  const before = root && asked.get(root);
  const stands = before && standing(before.project, project);
  const observed = new Observed(project);
  const silent = new Map<Rule, ReadonlySet<LookedAt>>();
  const problems = rules.flatMap((rule): readonly Problem[] => {
    const known = before?.silent.get(rule);
    if (known && stands && [...known].every(stands)) {
      silent.set(rule, known);
      return [];
    }
    const { answer, lookedAt } = noted(() => rule(observed));
    if (answer.length === 0) silent.set(rule, lookedAt);
    return answer;
  });
  if (root) asked.set(root, { project, silent });
  return problems;
}
