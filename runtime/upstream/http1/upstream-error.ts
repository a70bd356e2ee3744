/** What can go wrong between here and an upstream, in our own words: a code for whoever looks for it, and never a word that the upstream said. */

export type UpstreamFault =
  | 'connect_timeout'
  | 'connect_failed'
  | 'name_not_found'
  | 'tls_failed'
  /** It ended before a byte of an answer had come. */
  | 'no_answer'
  /** It ended before the answer was complete. */
  | 'closed_early'
  /** What came is no HTTP/1.1, or says two things at once. */
  | 'malformed_answer'
  /** Nobody needs it any more. */
  | 'discarded';

export class UpstreamError extends Error {
  readonly code: UpstreamFault;

  constructor(code: UpstreamFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'UpstreamError';
    this.code = code;
  }
}

export const malformed = (message: string): UpstreamError => new UpstreamError('malformed_answer', message);
