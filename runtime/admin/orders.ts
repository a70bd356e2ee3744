/** The emergency orders of the admin plane. They move between revisions that git made; none of them changes one. */
import { parseDuration } from '../duration.ts';
import { longestPauseMs, type Operator } from '../sync/operator.ts';
import { json, problem, type Asked, type Plane } from './plane.ts';

interface Order {
  readonly commit: string | undefined;
  readonly forMs: number;
  readonly note: string;
}

/** The order in a body, or what is wrong with it. */
function read({ body }: Asked, needsCommit: boolean): Order | string {
  const { commit, for: length = '1h', note = '' } = (body ?? {}) as Record<string, unknown>;
  if (commit !== undefined && (typeof commit !== 'string' || !/^[\w:]{7,80}$/.test(commit)))
    return '"commit" must be the full id of an artifact commit';
  if (needsCommit && commit === undefined) return 'say which "commit"; GET /status names them';
  const forMs = typeof length === 'string' ? parseDuration(length) : undefined;
  if (forMs === undefined || forMs < 1_000 || forMs > longestPauseMs)
    return '"for" must be a duration such as "2h", at most 7d';
  if (typeof note !== 'string' || note.length > 500) return '"note" must be a text of at most 500 characters';
  return { commit, forMs, note };
}

export function addOrders(plane: Plane, operator: Operator): void {
  const post = (
    path: string,
    needsCommit: boolean,
    carryOut: (order: Order) => string | undefined | Promise<string | undefined>,
  ) =>
    plane.on('POST', path, async (asked) => {
      const order = read(asked, needsCommit);
      if (typeof order === 'string') return problem(400, order);
      const refusal = await carryOut(order);
      return refusal === undefined ? json({ done: true }, 202) : problem(409, refusal);
    });
  post('/pin', true, ({ commit, forMs, note }) => operator.pause({ pinned: commit, forMs, note }));
  post('/pause', false, ({ forMs, note }) => operator.pause({ pinned: undefined, forMs, note }));
  post('/resume', false, () => operator.resume());
  post('/accept', true, ({ commit = '' }) => operator.accept(commit));
  post('/retry', true, ({ commit = '' }) => operator.retry(commit));
  plane.on('DELETE', '/pin', async () => {
    const refusal = await operator.resume();
    return refusal === undefined ? json({ done: true }, 202) : problem(409, refusal);
  });
}
