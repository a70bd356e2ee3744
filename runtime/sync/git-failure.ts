/** Gives every failure of the git library one of our codes, and keeps the token out of all of them. */
import { SourceError } from './source.ts';

const knownFailures: Readonly<Record<string, readonly [code: string, message: string]>> = {
  UnsafeFilepathError: [
    'ARTIFACT_MODE',
    'The artifact has a file with an unusable name; use letters, digits, dots and dashes.',
  ],
  NotFoundError: ['GIT_CORRUPT', 'The repository did not bring every object of the commit; it is ignored.'],
  ObjectTypeError: ['GIT_BAD_OID', 'The branch does not stand at a commit; point it at a published artifact.'],
  RemoteCapabilityError: ['GIT_REMOTE_ERROR', 'The remote cannot fetch a single commit; it needs a smart git server.'],
};

export function explainFailure(error: unknown, secret: string | undefined): SourceError {
  const explained = error instanceof SourceError ? error : classify(error);
  return secret === undefined ? explained : withoutSecret(explained, secret);
}

function classify(error: unknown): SourceError {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const [ours, message] = knownFailures[code] ?? [
    'GIT_CORRUPT',
    `The git data cannot be read (${code || 'unexpected failure'}); it is ignored.`,
  ];
  return new SourceError(ours, message, { cause: error });
}

/** A remote that echoes what we sent must not get the token into our logs. */
function withoutSecret(error: SourceError, secret: string): SourceError {
  const encoded = Buffer.from(`x-access-token:${secret}`).toString('base64');
  const message = error.message.replaceAll(secret, '[token]').replaceAll(encoded, '[token]');
  if (message === error.message) return error;
  return new SourceError(error.code, message, { retryAfterMs: error.retryAfterMs });
}
