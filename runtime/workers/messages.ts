/** What the primary process and its workers say to each other. What is said to one worker arrives in order. */
import type { Artifact } from '../artifact.ts';
import type { End } from '../generation/consumer-record.ts';
import type { HealthFigures } from '../generation/health.ts';
import type { Order } from '../generation/followers.ts';
import type { SnapshotParcel } from '../packed.ts';
import type { Counted, Demand, Reading, Settlement, Taking } from '../quota/store.ts';
import type { Load } from '../serving.ts';
import type { Settings } from '../settings.ts';
import type { MetricFigures } from '../telemetry/metrics.ts';
import type { RequestSummary, RequestTrace } from '../telemetry/recent-requests.ts';

/** What can be asked of a worker, and what it answers. */
export interface Answers {
  readonly load: Load;
  readonly requests: readonly RequestSummary[];
  readonly request: RequestTrace | undefined;
  readonly metrics: MetricFigures;
  /** That it has built what it was given. */
  readonly prepare: true;
}

export type Question =
  | { readonly ask: 'load' | 'metrics' }
  | { readonly ask: 'requests'; readonly most: number }
  | { readonly ask: 'request'; readonly requestId: string }
  | {
      readonly ask: 'prepare';
      readonly facts: Omit<Artifact, 'files' | 'snapshot'>;
      readonly parcel: SnapshotParcel;
    };

export type ToWorker =
  | { readonly begin: Settings; readonly index: number }
  | (Question & { readonly id: number })
  | { readonly order: Order }
  | { readonly listen: true }
  | { readonly renew: true }
  /** End each connection with its next answer. */
  | { readonly retire: true }
  /** Take no more connections, and end when the requests in flight have ended, or after so long. */
  | { readonly drain: number }
  | { readonly quotas: readonly QuotaAnswer[] };

/** Of what is held, the name and what was spent are enough. */
export interface Settled {
  readonly hold: string;
  readonly spent: number;
}

export type QuotaQuestion =
  | { readonly id: number; readonly take: readonly Demand[] }
  | { readonly id: number; readonly settle: readonly (Settlement | Settled)[] }
  | { readonly id: number; readonly read: readonly Counted[] };

export type QuotaAnswer =
  | { readonly id: number; readonly answer: readonly Taking[] | readonly Reading[] | undefined }
  | { readonly id: number; readonly unavailable: string };

/** What happened under one revision since it was told last. */
export interface Report {
  /** Of the artifact. */
  readonly commit: string;
  readonly health: HealthFigures;
  readonly ends: readonly End[];
}

export type FromWorker =
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly refused: string }
  | { readonly listening: string }
  /** It cannot take connections: the system's error. */
  | {
      readonly deaf: {
        readonly code?: string;
        readonly address?: string;
        readonly port?: number;
        readonly message: string;
      };
    }
  | { readonly reports: readonly Report[] }
  | { readonly quotas: readonly QuotaQuestion[] };
