/** The admin plane: alive, ready, status, metrics, poke, and the console page. Reads only; what git owns is changed in git. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isLoopback } from '../settings.ts';
import type { Address } from '../listener.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { consolePage, consolePolicy } from './console-page.ts';
import { addOrders } from './orders.ts';
import { json, Plane, problem, type Answer, type Asked } from './plane.ts';
import { addRequests } from './requests.ts';
import { statusOf, type Reported } from './status.ts';
import { addUsage } from './usage.ts';

export interface AdminOptions {
  readonly address: Address;
  readonly tokenFile: string | undefined;
  readonly reported: Reported;
  readonly metrics: Metrics;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** Read at each request, so that a rotated token needs no restart. Throws with the place and the cure. */
function readToken(tokenFile: string): string {
  let token: string;
  try {
    token = readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new Error(`the admin token file ${tokenFile} cannot be read (${code}): write the token into it`);
  }
  if (token === '') throw new Error(`the admin token file ${tokenFile} is empty: write the token into it`);
  return token;
}

/** A page from elsewhere can make a browser ask loopback under a name of its own: only our own names are answered. */
function isOurName(host: string, address: Address): boolean {
  const name = host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return name === address.host || isLoopback({ host: name, port: 0 });
}

/** A browser tells on whose behalf it asks. No page but our own may. */
function isOurPage({ headers: { origin } }: Asked, address: Address): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && isOurName(new URL(origin).host, address);
}

type Refusal = readonly [status: number, detail: string];

function refusalOf(request: Asked, address: Address, tokenFile: string | undefined): Refusal | undefined {
  if (!tokenFile) {
    return isOurName(request.headers.host ?? '', address) && isOurPage(request, address)
      ? undefined
      : [403, 'Ask for the admin plane by the address it listens on.'];
  }
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  try {
    return timingSafeEqual(sha256(readToken(tokenFile)), sha256(given))
      ? undefined
      : [401, 'Send the admin token as "Authorization: Bearer <token>".'];
  } catch {
    return [503, 'The admin token cannot be read: see to the file that --admin-token-file names.'];
  }
}

export async function startAdmin({
  address,
  tokenFile,
  reported,
  metrics,
}: AdminOptions): Promise<{ url: string; close: () => Promise<void> }> {
  if (tokenFile) readToken(tokenFile);
  // The page holds no data: what it shows, it asks for with the token that a person gives it.
  const open = new Set(['/healthz', '/readyz', ...(tokenFile ? ['/', '/console'] : [])]);
  const plane = new Plane((asked) => {
    const refusal = open.has(asked.url) ? undefined : refusalOf(asked, address, tokenFile);
    return refusal && problem(...refusal);
  });

  plane.on('GET', '/healthz', () => json({ status: 'ok' }));
  plane.on('GET', '/readyz', () => readiness(reported));
  plane.on('GET', '/status', async () => json(statusOf(reported, await reported.serving.load())));
  plane.on('GET', '/metrics', async () => {
    metrics.stateDirProblem.set(reported.keep.problem === undefined ? 0 : 1);
    const body = await reported.serving.metrics();
    return { headers: { 'content-type': metrics.registry.contentType }, body };
  });
  plane.on('POST', '/poke', async () => {
    await reported.loop.poke();
    return json({ polled: true, tip: reported.loop.state.tip }, 202);
  });
  addOrders(plane, reported.loop.operator);
  addRequests(plane, reported.serving);
  addUsage(plane, reported.ledger);
  const page = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': consolePolicy };
  plane.on('GET', '/console', () => ({ headers: page, body: consolePage }));
  plane.on('GET', '/', () => ({ status: 302, headers: { location: '/console' }, body: '' }));
  return plane.listen(address);
}

function readiness({ activator, serving, draining }: Reported): Answer {
  if (draining()) return json({ status: 'draining' }, 503);
  if (!activator.stable) return json({ status: 'cold', detail: 'no verified configuration is active yet' }, 503);
  if (!serving.isListening()) return json({ status: 'starting', detail: 'no connection is taken yet' }, 503);
  return json({ status: 'ready', revision: activator.stable.revision.short });
}
