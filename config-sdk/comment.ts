/** Keeps one comment on a merge request up to date: found again by its first line and its author, made when it is not there. */
import type { CommentPlace } from './cli/environment.ts';
import { EnvironmentFault } from './findings.ts';

const perPage = 100;
/** A merge request with more comments than that gets a new one rather than an endless search. */
const mostPages = 50;

interface Found {
  readonly id: number;
  readonly body: string;
  /** Made with the same kind of token, so that nobody else's words are taken for ours, nor ours left for others to edit. */
  readonly ours: boolean;
}

/** What differs between the hosts. */
interface Thread {
  readonly headers: Readonly<Record<string, string>>;
  /** Of the comments on this merge request, and of one of them. */
  readonly all: string;
  readonly one: (id: number) => string;
  readonly update: 'PATCH' | 'PUT';
  readonly read: (comment: unknown, self: unknown) => Found | undefined;
  /** Who the token belongs to, where the host tells. */
  readonly self?: string;
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function found(comment: unknown, ours: boolean): Found | undefined {
  const { id, body } = record(comment);
  return typeof id === 'number' && typeof body === 'string' ? { id, body, ours } : undefined;
}

const threads: Readonly<Record<CommentPlace['host'], (place: CommentPlace) => Thread>> = {
  github: ({ api, repository, number, token }) => ({
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    },
    all: `${api}/repos/${repository}/issues/${number}/comments`,
    one: (id) => `${api}/repos/${repository}/issues/comments/${id}`,
    update: 'PATCH',
    // A workflow's token cannot ask who it is; it writes as a bot, and so do apps.
    read: (comment) => found(comment, record(record(comment)['user'])['type'] === 'Bot'),
  }),
  gitlab: ({ api, repository, number, token }) => {
    const all = `${api}/projects/${encodeURIComponent(repository)}/merge_requests/${number}/notes`;
    return {
      headers: { 'private-token': token },
      all,
      one: (id) => `${all}/${id}`,
      update: 'PUT',
      self: `${api}/user`,
      read: (comment, self) => found(comment, record(record(comment)['author'])['id'] === record(self)['id']),
    };
  },
};

async function ask(thread: Thread, method: string, url: string, body?: object): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: { ...thread.headers, 'content-type': 'application/json', 'user-agent': 'headgate' },
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
    });
    if (response.ok) return await response.json();
  } catch (cause) {
    throw new EnvironmentFault(`${method} ${url} failed: ${(cause as Error).message}`, { cause });
  }
  const hint =
    response.status === 401 || response.status === 403 ? '; may this token write comments on merge requests?' : '';
  throw new EnvironmentFault(`${method} ${url} answered ${response.status}${hint}`);
}

async function ownComment(thread: Thread, marker: string): Promise<Found | undefined> {
  const self = thread.self === undefined ? undefined : await ask(thread, 'GET', thread.self);
  for (let page = 1; page <= mostPages; page += 1) {
    const comments = await ask(thread, 'GET', `${thread.all}?per_page=${perPage}&page=${page}`);
    if (!Array.isArray(comments)) throw new EnvironmentFault(`GET ${thread.all} answered with something else`);
    const own = comments
      .map((each: unknown) => thread.read(each, self))
      .find((each) => each?.ours && each.body.startsWith(marker));
    if (own || comments.length < perPage) return own;
  }
  return undefined;
}

/** `text` begins with the line that the comment is found by. */
export async function keepComment(place: CommentPlace, text: string): Promise<'created' | 'updated' | 'unchanged'> {
  const thread = threads[place.host](place);
  const own = await ownComment(thread, text.split('\n')[0] ?? '');
  if (!own) {
    await ask(thread, 'POST', thread.all, { body: text });
    return 'created';
  }
  if (own.body.trim() === text.trim()) return 'unchanged';
  await ask(thread, thread.update, thread.one(own.id), { body: text });
  return 'updated';
}
