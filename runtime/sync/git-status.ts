/** What an HTTP answer that is not git data means, as an error with its own code and a cure. */
import { SourceError } from './source.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

export function refuseStatus(status: number, headers: Headers): SourceError {
  const retryAfterMs = readRetryAfter(headerOf(headers, 'retry-after'));
  const options = { retryAfterMs };
  if (status === 429 || (status === 403 && retryAfterMs !== undefined)) {
    return new SourceError('GIT_RETRY_LATER', `The remote asks us to slow down (${status}); poll less often.`, options);
  }
  // 203 is how one large host serves its sign-in page.
  if (status === 401 || status === 203) {
    return new SourceError(
      'GIT_AUTH',
      `The remote wants other credentials (${status}); renew the token file.`,
      options,
    );
  }
  if (status === 403) {
    return new SourceError('GIT_AUTH', 'The remote forbids reading (403); give the token read access.', options);
  }
  if (status === 404 || status === 410) {
    return new SourceError(
      'GIT_NOT_FOUND',
      `The remote knows no such repository (${status}); check the URL, and the token too, since hosts hide private repositories.`,
      options,
    );
  }
  if (status === 407) {
    return new SourceError('GIT_AUTH', 'The proxy wants credentials (407); put them into HTTPS_PROXY.', options);
  }
  if (status >= 400) {
    return new SourceError('GIT_SERVER', `The remote failed with status ${status}; it is asked again later.`, options);
  }
  return new SourceError(
    'GIT_NOT_GIT',
    `The remote answered ${status} where git data was due; check the URL.`,
    options,
  );
}

/** Retry-After counts seconds or names a date; taking the seconds for milliseconds is how clients hammer a host. */
function readRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Where a redirect leads, if that is a place we may go: only ever the very same origin. */
export function redirectTarget(from: string, location: string | undefined): string {
  const target = location !== undefined && URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (target === undefined) {
    throw new SourceError('GIT_REDIRECT', 'The remote redirects without saying where; check the URL.');
  }
  if (target.origin !== new URL(from).origin) {
    // User, password and query of the target can be secrets of the remote.
    const shown = target.origin === 'null' ? target.protocol : `${target.origin}${target.pathname.slice(0, 200)}`;
    throw new SourceError(
      'GIT_REDIRECT',
      `The remote redirects to ${shown}, another origin, which gets neither token nor trust; configure that address if it is right.`,
    );
  }
  target.username = '';
  target.password = '';
  target.hash = '';
  return target.href;
}

export function unreachable(url: string, cause: unknown): SourceError {
  const code = codeOf(cause);
  const isTrust = /CERT|SIGNATURE|SELF_SIGNED|ISSUER|ALTNAME/.test(code);
  const cure = isTrust
    ? 'name its authority in NODE_EXTRA_CA_CERTS if it is yours'
    : 'check the address, the network and any HTTPS_PROXY';
  return new SourceError('GIT_NET', `${new URL(url).host} cannot be reached (${code}); ${cure}.`, { cause });
}

function codeOf(cause: unknown): string {
  for (let error = cause, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
    const code = 'code' in error ? error.code : undefined;
    if (typeof code === 'string' && code !== 'UND_ERR') return code;
    const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
    if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code;
  }
  return 'no further detail';
}
