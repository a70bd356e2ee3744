/** The one error by which an artifact is turned away; what serves goes on. */

/** Why an artifact is refused. `reason` is one of the words that `held` may show. */
export class ArtifactRefused extends Error {
  readonly reason: 'signature' | 'rewind' | 'schema' | 'invalid' | 'shrink';

  constructor(reason: ArtifactRefused['reason'], message: string) {
    super(message);
    this.name = 'ArtifactRefused';
    this.reason = reason;
  }
}
