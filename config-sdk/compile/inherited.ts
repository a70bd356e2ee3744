/**
 * What applications have from their team and organisation: each may use what all three allow, draws from the quotas of all three
 * and carries the tags of all three. A snapshot says it of each consumer, so that nobody who reads one has to work it out.
 */
import type { ConsumerSnapshot, OrganisationSnapshot, TeamSnapshot } from '@headgate/runtime/snapshot';
import type { CompiledObject } from '../rules/rule.ts';
import { standsFor } from './origins.ts';
import { isObject } from './places.ts';

type Level = TeamSnapshot | OrganisationSnapshot;

/** Whose count a quota is that does not say so: that of the level which lists it. Undefined where levels differ. */
export type Scope = 'organisation' | 'team' | 'consumer';

const levelOf = (sort: CompiledObject['sort']): Scope =>
  sort === 'organisation' || sort === 'team' ? sort : 'consumer';

/** The levels that list each quota. */
export function levelsOfQuotas(objects: readonly CompiledObject[]): ReadonlyMap<string, ReadonlySet<Scope>> {
  const found = new Map<string, Set<Scope>>();
  for (const { sort, value } of objects) {
    const names: unknown = isObject(value) && sort !== 'provider' ? value['quotas'] : undefined;
    for (const name of Array.isArray(names) ? names : [])
      if (typeof name === 'string') found.set(name, (found.get(name) ?? new Set<Scope>()).add(levelOf(sort)));
  }
  return found;
}

/** What is allowed at every level; undefined where none has a list. */
function allowed(lists: readonly (readonly string[] | undefined)[]): string[] | undefined {
  const [first, ...others] = lists.filter((list) => list !== undefined).map((list) => new Set(list));
  return first && [...first].filter((name) => others.every((other) => other.has(name)));
}

/** A list with what others add to it; undefined where there is nothing in any. */
function joined(own: string[] | undefined, above: readonly (readonly string[] | undefined)[]): string[] | undefined {
  const added = new Set(above.flatMap((list) => list ?? []).filter((name) => own?.includes(name) !== true));
  return added.size === 0 ? own : [...(own ?? []), ...added];
}

interface Around {
  readonly team: TeamSnapshot | undefined;
  readonly organisation: OrganisationSnapshot | undefined;
  readonly isDeclaredOnly: boolean;
}

function effective(own: ConsumerSnapshot, { team, organisation, isDeclaredOnly }: Around): ConsumerSnapshot {
  const above: Level[] = [team, organisation].filter((level) => level !== undefined);
  if (above.length === 0 && !isDeclaredOnly) return own;
  const access = (sort: 'models' | 'routes' | 'prompts') => {
    // Prompts go with the models that were declared, and only narrow them.
    const unlisted = isDeclaredOnly && sort !== 'prompts' ? [] : undefined;
    const names = allowed([own[sort], ...above.map((level) => level[sort])]) ?? unlisted;
    return names && { [sort]: names };
  };
  const quotas = joined(
    own.quotas,
    above.map((level) => level.quotas),
  );
  const tags = joined(
    own.tags,
    above.map((level) => level.tags),
  );
  const owner = own.owner ?? team?.owner ?? organisation?.owner;
  const belongs = team?.organisation ?? own.organisation;
  const made = {
    ...own,
    ...access('models'),
    ...access('routes'),
    ...access('prompts'),
    ...(quotas && { quotas }),
    ...(tags && { tags }),
    ...(owner !== undefined && { owner }),
    ...(belongs !== undefined && { organisation: belongs }),
  };
  standsFor(made, own);
  return made;
}

/** The first of two equal names wins, as everywhere. */
const byName = <Value>(objects: readonly CompiledObject[], sort: CompiledObject['sort']): ReadonlyMap<string, Value> =>
  new Map(
    objects
      .filter((each) => each.sort === sort && each.sound)
      .map((each): [string, Value] => [each.id, each.value as Value])
      .reverse(),
  );

/** Objects with everything said that follows from others. What the schema refused stays as it is. */
export function inherited(objects: readonly CompiledObject[], access: unknown): readonly CompiledObject[] {
  const teams = byName<TeamSnapshot>(objects, 'team');
  const organisations = byName<OrganisationSnapshot>(objects, 'organisation');
  const isGraded = objects.some(({ sort }) => sort === 'team' || sort === 'organisation');
  const levels = isGraded ? levelsOfQuotas(objects) : new Map<string, ReadonlySet<Scope>>();
  return objects.map((object) => {
    if (!object.sound) return object;
    if (object.sort === 'quota') return { ...object, value: scoped(object, levels) };
    if (object.sort !== 'consumer') return object;
    const own = object.value as ConsumerSnapshot;
    const team = own.team === undefined ? undefined : teams.get(own.team);
    const named = team?.organisation ?? own.organisation;
    const organisation = named === undefined ? undefined : organisations.get(named);
    const isWhole =
      (own.team === undefined) === (team === undefined) && (named === undefined) === (organisation === undefined);
    if (!isWhole) return object;
    const around = { team, organisation, isDeclaredOnly: access === 'declared' };
    return { ...object, value: effective(own, around) };
  });
}

/** A quota that does not say whose count it is, listed by teams alone or by organisations alone. */
function scoped({ id, value }: CompiledObject, levels: ReadonlyMap<string, ReadonlySet<Scope>>): unknown {
  const [level, ...others] = levels.get(id) ?? [];
  if (!isObject(value) || value['scope'] !== undefined || others.length > 0) return value;
  if (level === undefined || level === 'consumer') return value;
  const made = { ...value, scope: level };
  standsFor(made, value);
  return made;
}
