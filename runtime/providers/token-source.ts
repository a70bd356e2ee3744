/** Credentials that end: asked for once for all who wait, kept, and asked for again before they end. */
import { CredentialUnavailable } from './provider.ts';

export interface Ending {
  /** On the clock of `now`. */
  readonly endsAt: number;
}

export interface Token extends Ending {
  readonly text: string;
}

/** One that ends within this time is not used any more: the request may be under way for a while. */
const tooLateMs = 30_000;
/** And one that ends within this time is used, while the next is asked for. */
const renewMs = 300_000;
/** After a failed renewal, for as long as the old token is good. */
const againMs = 10_000;
/** How long giving one out may take; no client's patience decides it, as others may wait for the same. */
const patienceMs = 15_000;

type Ask<Credential> = (signal: AbortSignal) => Promise<Credential>;

/** What one identity is given, again and again. `ask` is called at most once at a time. */
export function credentialSource<Credential extends Ending>(
  ask: Ask<Credential>,
  now: () => number = Date.now,
): Ask<Credential> {
  let kept: Credential | undefined;
  let asking: Promise<Credential> | undefined;
  let notBefore = -Infinity;
  const renewed = (): Promise<Credential> => {
    const patience = AbortSignal.timeout(patienceMs);
    asking ??= orAborted(ask(patience), patience)
      .then((credential) => (kept = credential))
      .finally(() => (asking = undefined));
    return asking;
  };
  return async (signal) => {
    const left = kept === undefined ? 0 : kept.endsAt - now();
    if (kept === undefined || left <= tooLateMs) return orAborted(renewed(), signal);
    // A short-lived one is not renewed all the time.
    if (left <= renewMs && now() >= notBefore) {
      notBefore = now() + againMs;
      renewed().catch(() => undefined);
    }
    return kept;
  };
}

/** The same of tokens, whose end is nothing to those who send them. */
export function tokenSource(ask: Ask<Token>, now?: () => number): Ask<string> {
  const source = credentialSource(ask, now);
  return async (signal) => (await source(signal)).text;
}

/** Who leaves does not wait on; the question goes on for the others. */
async function orAborted<Value>(asked: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const left = Promise.withResolvers<never>();
  const leave = () => left.reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  // Whoever left hears nothing of how it ended.
  asked.catch(() => undefined);
  try {
    return await Promise.race([asked, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** A question for a token, as OAuth 2 has it (RFC 6749, section 4.4.2 and 5). */
export interface TokenRequest {
  readonly url: string;
  /** Sent as a form; without it the token is only fetched. */
  readonly form?: Readonly<Record<string, string>>;
  /** In place of a form, where somebody wants JSON. */
  readonly json?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const maxAnswerBytes = 64 * 1024;

/** Rejects with `CredentialUnavailable` when the token is refused. Nothing of what was sent or answered is in the message. */
export async function askToken(request: TokenRequest, signal: AbortSignal): Promise<Token> {
  const body = await askJson(request, signal);
  const { access_token: text } = body;
  const endsAt = endIn(body);
  if (!isToken(text) || !(endsAt > Date.now()))
    throw new CredentialUnavailable(`${new URL(request.url).host} answered without a token that can be used`);
  return { text, endsAt };
}

/** A header can carry it. */
export const isToken = (text: unknown): text is string =>
  typeof text === 'string' && /^[\x21-\x7e]{1,16384}$/.test(text);

/** The answer, where a token is told in other words than those of OAuth. */
export async function askJson(
  { url, form, json, headers = {} }: TokenRequest,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const { host } = new URL(url);
  const response = await fetch(url, {
    method: form || json ? 'POST' : 'GET',
    headers: { accept: 'application/json', ...(json && { 'content-type': 'application/json' }), ...headers },
    ...(form && { body: new URLSearchParams(form) }),
    ...(json && { body: JSON.stringify(json) }),
    // A credential goes nowhere but where the configuration says.
    redirect: 'error',
    signal,
  });
  const body = await readObject(response);
  const { status } = response;
  if (status === 429 || status >= 500) throw new Error(`${host} answered ${status} to a request for a token`);
  if (!response.ok) throw new CredentialUnavailable(`${host} refused a token with status ${status}${codeIn(body)}`);
  return body;
}

/** How long it is good (RFC 6749), or, where only the machine's own identity is asked for, until when. */
function endIn({ expires_in: seconds, expires_on: end }: Readonly<Record<string, unknown>>): number {
  return seconds === undefined ? Number(end) * 1000 : Date.now() + Number(seconds) * 1000;
}

/** Only a code of RFC 6749, section 5.2, is repeated: sentences may hold anything. */
function codeIn({ error }: Readonly<Record<string, unknown>>): string {
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : '';
}

async function readObject(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream: AsyncIterable<Uint8Array> | null = response.body;
  for await (const chunk of stream ?? []) {
    size += chunk.byteLength;
    if (size > maxAnswerBytes) throw new Error(`${new URL(response.url).host} sent more than a token`);
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
