/** REST routes that stay: what they answer to, and what happens to a request on its way. */
import type { RouteSnapshot } from '@headgate/runtime/snapshot';
import { routeIn, shiftsAt, unanswered, type Shift } from './answering.ts';
import { listed, say, type Change, type Phrase, type Risk } from './change.ts';
import { entryOf, listChange, paired, type Pair, type Sides } from './revision.ts';
import { requestInWords } from './served-words.ts';
import { usersInWords, usersOf } from './users.ts';

/** Whether every path that `narrow` answers to is one that `wide` answers to. */
function covers(wide: string, narrow: string): boolean {
  if (!wide.endsWith('/*')) return wide === narrow;
  const prefix = wide.slice(0, -1);
  return narrow === prefix.slice(0, -1) || narrow.startsWith(prefix);
}

type Shifts = (route: RouteSnapshot) => readonly Shift[];

function pathChange({ name, before, after }: Pair<RouteSnapshot>, users: Phrase, shifts: Shifts): Change[] {
  if (before.path === after.path) return [];
  const object = `routes.${name}`;
  if (covers(after.path, before.path)) {
    const sentence = say`route ${name} opens more paths: ${before.path} → ${after.path}`;
    return [{ kind: 'access_gained', risk: 'high', object, sentence, details: [users] }];
  }
  const narrower = covers(before.path, after.path);
  const sentence = say`route ${name} ${[narrower ? 'answers to fewer paths' : 'moves']}: ${before.path} → ${after.path}`;
  // Where another route answers instead, that is told with what it means.
  const own = unanswered(shifts(before).filter(({ from }) => routeIn(from) === name));
  const details = own.map((each): Phrase => (narrower ? ['all other ', ...each] : each));
  return [{ kind: 'access_lost', risk: 'high', object, sentence, details }];
}

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);
const every = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

function methodChanges({ name, before, after }: Pair<RouteSnapshot>, users: Phrase): Change[] {
  const { gone, come } = listChange(before.methods ?? every, after.methods ?? every);
  const object = `routes.${name}`;
  const changes: Change[] = [];
  if (come.length > 0) {
    const all = after.methods === undefined ? say`any method` : listed(come);
    const writes = come.filter((method) => !safe.has(method));
    const details = writes.length > 0 ? [say`${listed(writes)} can change data behind it`, users] : [users];
    const sentence = say`route ${name} now also takes ${all}`;
    changes.push({ kind: 'access_gained', risk: writes.length > 0 ? 'high' : 'medium', object, sentence, details });
  }
  if (gone.length > 0) {
    const sentence = say`route ${name} no longer takes ${listed(gone)}`;
    changes.push({ kind: 'access_lost', risk: 'medium', object, sentence, details: [] });
  }
  if (come.length + gone.length === 0 && (before.methods === undefined) !== (after.methods === undefined)) {
    const sentence = say`route ${name} spells its methods otherwise: ${requestInWords(after)}`;
    changes.push({ kind: 'other_changed', risk: 'info', object, sentence, details: [] });
  }
  return changes;
}

function hostChange({ name, before, after }: Pair<RouteSnapshot>, users: Phrase): Change[] {
  if (before.host === after.host) return [];
  const inWords = (host: string | undefined): Phrase => (host === undefined ? ['any host'] : say`host ${host}`);
  const open = after.host === undefined;
  const sentence = say`route ${name} answers to ${inWords(after.host)} instead of ${inWords(before.host)}`;
  const kind = open ? 'access_gained' : 'access_lost';
  return [{ kind, risk: open ? 'high' : 'medium', object: `routes.${name}`, sentence, details: [users] }];
}

function forwardingChanges({ name, before, after }: Pair<RouteSnapshot>, { base, head }: Sides): Change[] {
  const object = `routes.${name}`;
  const changes: Change[] = [];
  const told = (kind: Change['kind'], risk: Risk, sentence: Phrase): void => {
    changes.push({ kind, risk, object, sentence, details: [] });
  };
  if (before.upstream !== after.upstream) {
    const url = (snapshot: Sides['base'], upstream: string) => entryOf(snapshot.upstreams, upstream)?.url ?? '';
    told(
      'destination_changed',
      'high',
      say`route ${name} forwards to ${after.upstream} (${url(head, after.upstream)}) instead of ${before.upstream} (${url(base, before.upstream)})`,
    );
  }
  if (before.stripPrefix !== after.stripPrefix)
    told(
      'destination_changed',
      'medium',
      say`route ${name} takes ${after.stripPrefix ?? 'nothing'} off the path before forwarding, instead of ${before.stripPrefix ?? 'nothing'}`,
    );
  if (before.maxBodyBytes !== after.maxBodyBytes)
    told(
      after.maxBodyBytes > before.maxBodyBytes ? 'limit_loosened' : 'limit_tightened',
      'low',
      say`route ${name}: largest body ${before.maxBodyBytes} → ${after.maxBodyBytes} bytes`,
    );
  if (before.retries !== after.retries)
    told('delivery_changed', 'low', say`route ${name}: retries ${before.retries} → ${after.retries}`);
  return changes;
}

export function routeChanges(sides: Sides): Change[] {
  const usersIn = usersOf(sides.head, 'routes');
  const { kept } = paired(sides.base.routes, sides.head.routes);
  const shifts: Shifts = kept.some(({ before, after }) => before.path !== after.path) ? shiftsAt(sides) : () => [];
  return kept.flatMap((pair) => {
    const users = usersInWords(usersIn(pair.name), 'routes');
    return [
      ...pathChange(pair, users, shifts),
      ...methodChanges(pair, users),
      ...hostChange(pair, users),
      ...forwardingChanges(pair, sides),
    ];
  });
}
