/** Requests that another route answers from now on, or none: routes overlap, so one that comes or goes uncovers or hides others. */
import type { RouteSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { everyMethod, requestsInWords, routeIn, shiftsAt, unanswered, type Shift } from './answering.ts';
import { counted, joined, listed, say, type Change, type Phrase } from './change.ts';
import { entryOf, listChange, paired, type Sides } from './revision.ts';
import { usersOf } from './users.ts';

/** What it means for those who ask, the gravest first. */
type Effect = Pick<Change, 'kind' | 'risk'> & { readonly words: Phrase };

type Usable = (route: string | undefined) => readonly string[];

/** Consumers that a route admits, of those that are there before and after; who comes or goes is told elsewhere. */
function usable(snapshot: Snapshot, other: Snapshot): Usable {
  const users = usersOf(snapshot, 'routes');
  return (route) => {
    if (route === undefined) return [];
    const { named, unlisted } = users(route);
    return [...named, ...unlisted].filter((name) => Object.hasOwn(other.consumers, name));
  };
}

const consumers = (names: readonly string[], one: string, many: string): Phrase =>
  say`consumer${[names.length === 1 ? '' : 's']} ${listed(names)} ${[names.length === 1 ? one : many]}`;

interface Weighed {
  readonly sides: Sides;
  readonly before: Usable;
  readonly after: Usable;
}

/** Those among `names` whose requests to `route` do not draw from `quota`. */
function uncounted(snapshot: Snapshot, route: string, quota: string, names: readonly string[]): readonly string[] {
  if (entryOf(snapshot.routes, route)?.quotas?.includes(quota)) return [];
  return names.filter((name) => !entryOf(snapshot.consumers, name)?.quotas?.includes(quota));
}

function quotaEffects({ from, to }: Shift, { sides: { base, head }, before, after }: Weighed): Effect[] {
  const [old, now] = [routeIn(from), routeIn(to)];
  if (old === undefined || now === undefined) return [];
  const { gone, come } = listChange(entryOf(base.routes, old)?.quotas, entryOf(head.routes, now)?.quotas);
  const [had, have] = [before(old), after(now)];
  const lifted = gone.flatMap((quota): Effect[] => {
    const free = uncounted(head, now, quota, have);
    if (free.length === 0) return [];
    const whose = free.length === have.length ? [] : say` of consumer${[free.length === 1 ? '' : 's']} ${listed(free)}`;
    return [{ kind: 'limit_loosened', risk: 'high', words: say`quota ${quota} no longer counts them${whose}` }];
  });
  const laid = come.flatMap((quota): Effect[] =>
    uncounted(base, old, quota, had).length === 0
      ? []
      : [{ kind: 'limit_tightened', risk: 'medium', words: say`quota ${quota} counts them now` }],
  );
  return [...lifted, ...laid];
}

function effectsOf(shift: Shift, weighed: Weighed): Effect[] {
  const { base, head } = weighed.sides;
  const [old, now] = [routeIn(shift.from), routeIn(shift.to)];
  const { gone, come } = listChange(weighed.before(old), weighed.after(now));
  const effects: Effect[] = [];
  if (come.length > 0)
    effects.push({ kind: 'access_gained', risk: 'high', words: consumers(come, 'gains it', 'gain it') });
  const [limits, losses] = [quotaEffects(shift, weighed), consumers(gone, 'loses it', 'lose it')];
  effects.push(...limits.filter(({ risk }) => risk === 'high'));
  if (gone.length > 0) effects.push({ kind: 'access_lost', risk: 'high', words: losses });
  const url = (snapshot: Snapshot, route: string | undefined): string | undefined => {
    const upstream = entryOf(snapshot.routes, route ?? '')?.upstream;
    return upstream === undefined ? undefined : entryOf(snapshot.upstreams, upstream)?.url;
  };
  const [there, here] = [url(base, old), url(head, now)];
  if (there !== undefined && here !== undefined && there !== here)
    effects.push({ kind: 'destination_changed', risk: 'high', words: say`they go to ${here} instead of ${there}` });
  return [...effects, ...limits.filter(({ risk }) => risk !== 'high')];
}

function becomes(shift: Shift): Phrase {
  const requests = requestsInWords(shift);
  const [old, now] = [routeIn(shift.from), routeIn(shift.to)];
  if (now === undefined && 'status' in shift.to)
    return say`${requests}, which route ${old ?? ''} answered, then get ${shift.to.status}`;
  if (old === undefined && 'status' in shift.from)
    return say`${requests}, which got ${shift.from.status}, are then answered by route ${now ?? ''}`;
  return say`${requests} are then answered by route ${now ?? ''} instead of ${old ?? ''}`;
}

function reroute(name: string, shift: Shift, weighed: Weighed): Change {
  const effects = effectsOf(shift, weighed);
  const [gravest] = effects;
  const lost = routeIn(shift.from) === name && !Object.hasOwn(weighed.sides.head.routes, name);
  const subject = lost
    ? say`route ${name} is gone, and ${requestsInWords(shift)} are then answered by route ${routeIn(shift.to) ?? ''}`
    : becomes(shift);
  const what = effects.map(({ words }) => words);
  return {
    kind: gravest?.kind ?? 'other_changed',
    risk: gravest?.risk ?? 'low',
    object: `routes.${name}`,
    sentence: what.length === 0 ? subject : say`${subject}: ${joined(what, '; ')}`,
    details: [],
  };
}

/** A route that is gone where no other answers in its place; `own` are the requests that came to it. */
function gone(name: string, own: readonly Shift[], sides: Sides): Change {
  const { named, unlisted } = usersOf(sides.base, 'routes')(name);
  const users = [...named, ...unlisted];
  const details = users.length === 0 ? [] : [say`${counted(users.length, 'consumer')} could use it: ${listed(users)}`];
  const statuses = unanswered(own);
  const plain = own.every(({ to }) => 'status' in to && to.status === 404);
  const hidden = own.length === 0;
  const result = hidden
    ? say`no request came to it, since others answer where it stood`
    : plain
      ? say`whoever asks for it gets 404`
      : joined(statuses, '; ');
  return {
    kind: 'access_lost',
    risk: users.length === 0 || hidden ? 'low' : 'high',
    object: `routes.${name}`,
    sentence: say`route ${name} is gone: ${result}`,
    details,
  };
}

const placeOf = ({ path, host, methods }: RouteSnapshot): string =>
  [host ?? '', path, ...(methods ?? everyMethod).toSorted()].join(' ');

export function reroutedChanges(sides: Sides): Change[] {
  const { added, removed, kept } = paired(sides.base.routes, sides.head.routes);
  const moved = kept.filter(({ before, after }) => placeOf(before) !== placeOf(after));
  if (added.length + removed.length + moved.length === 0) return [];
  const shifts = shiftsAt(sides);
  const { base, head } = sides;
  const weighed: Weighed = { sides, before: usable(base, head), after: usable(head, base) };
  const lost = (route: string | undefined): boolean => route !== undefined && !Object.hasOwn(head.routes, route);
  const isNew = (route: string | undefined): boolean => route !== undefined && !Object.hasOwn(base.routes, route);
  const told = new Set<string>();
  /** Without what other sentences say: that a route is new or gone, opens more or closes some, each for itself. */
  const unsaid = (name: string, route: RouteSnapshot): Shift[] =>
    shifts(route).flatMap((shift): Shift[] => {
      const [from, to] = [routeIn(shift.from), routeIn(shift.to)];
      const opens = from === undefined && (to === name || isNew(to));
      const closes = to === undefined && (from === name || lost(from));
      const ofAnother = lost(name) && lost(from) && from !== name;
      if (opens || closes || ofAnother || (from === undefined && to === undefined)) return [];
      const asked = (method: string): string => `${method} ${shift.host ?? ''}${shift.path}`;
      const methods = shift.methods.filter((method) => !told.has(asked(method)));
      for (const method of methods) told.add(asked(method));
      return methods.length === 0 ? [] : [{ ...shift, methods }];
    });
  const rerouted = (name: string, route: RouteSnapshot): Change[] =>
    unsaid(name, route).map((shift) => reroute(name, shift, weighed));
  return [
    ...removed.flatMap(({ name, before }) => {
      const own = shifts(before).filter(({ from }) => routeIn(from) === name);
      const isAnswered = own.length > 0 && own.every(({ to }) => routeIn(to) !== undefined);
      return [...(isAnswered ? [] : [gone(name, own, sides)]), ...rerouted(name, before)];
    }),
    ...added.flatMap(({ name, after }) => rerouted(name, after)),
    ...moved.flatMap(({ name, before, after }) => [...rerouted(name, before), ...rerouted(name, after)]),
  ];
}
