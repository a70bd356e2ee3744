/** What the admin plane asks of whatever answers requests: this process, or several workers as if they were one. */
import type { RequestSummary, RequestTrace } from './telemetry/recent-requests.ts';
import type { UpstreamHealth } from './upstream/upstreams.ts';

export interface Load {
  /** Requests that are being answered under the revision that serves. */
  readonly inFlight: number;
  /** Generations that serve, may have to serve again, or still finish requests. */
  readonly generationsLive: number;
  /** How the targets of what serves are, as far as they were asked. */
  readonly targets: readonly UpstreamHealth[];
}

export interface Serving {
  /** Whether connections are taken. */
  isListening(): boolean;
  load(): Promise<Load>;
  /** The last requests, newest first. */
  requests(most: number): Promise<readonly RequestSummary[]>;
  /** Of several with one id, the newest. */
  request(id: string): Promise<RequestTrace | undefined>;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
}
