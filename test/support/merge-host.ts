/** The parts of GitHub's and GitLab's APIs that reviewing in CI talks to, over real HTTP, with what they were asked. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface HostedComment {
  readonly id: number;
  body: string;
  /** GitHub tells what wrote a comment, GitLab who. */
  readonly user: { readonly type: 'Bot' | 'User' };
  readonly author: { readonly id: number };
}

export interface MergeHost {
  readonly url: string;
  readonly comments: HostedComment[];
  /** `METHOD /path`, in order. */
  readonly asked: string[];
  readonly uploads: Record<string, string>[];
  /** Answers with this status from now on. */
  refuse(status: number): void;
}

export const hostToken = 'token-of-the-job';
/** Who `hostToken` belongs to on GitLab. */
export const botId = 7;

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return pieces.length === 0 ? {} : (JSON.parse(Buffer.concat(pieces).toString()) as Record<string, string>);
}

const isAllowed = ({ headers }: IncomingMessage): boolean =>
  headers.authorization === `Bearer ${hostToken}` || headers['private-token'] === hostToken;

export async function startMergeHost(context: TestContext): Promise<MergeHost> {
  const comments: HostedComment[] = [];
  const asked: string[] = [];
  const uploads: Record<string, string>[] = [];
  let refusal: number | undefined;
  const answer = async (request: IncomingMessage): Promise<[status: number, body: unknown]> => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://host');
    asked.push(`${request.method} ${pathname}`);
    const body = await bodyOf(request);
    if (!isAllowed(request)) return [401, {}];
    if (refusal !== undefined) return [refusal, {}];
    if (pathname === '/user') return [200, { id: botId }];
    if (pathname === '/repos/team/gateway/code-scanning/sarifs') {
      uploads.push(body);
      return [202, { id: 'upload' }];
    }
    const thread = ['/repos/team/gateway/issues/12/comments', '/projects/34/merge_requests/12/notes'];
    if (thread.includes(pathname) && request.method === 'GET') {
      const size = Number(searchParams.get('per_page'));
      const page = Number(searchParams.get('page'));
      return [200, comments.slice((page - 1) * size, page * size)];
    }
    if (thread.includes(pathname) && request.method === 'POST') {
      const made: HostedComment = {
        id: comments.length + 1,
        body: body['body'] ?? '',
        user: { type: 'Bot' },
        author: { id: botId },
      };
      comments.push(made);
      return [201, made];
    }
    const one = comments.find(({ id }) =>
      [`/repos/team/gateway/issues/comments/${id}`, `${thread[1]}/${id}`].includes(pathname),
    );
    if (!one || !['PATCH', 'PUT'].includes(request.method ?? '')) return [404, {}];
    one.body = body['body'] ?? '';
    return [200, one];
  };
  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  context.after(() => server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    comments,
    asked,
    uploads,
    refuse: (status) => (refusal = status),
  };
}
