/** What the gateway counts. One registry per process, added up where there are workers (what all of them tell alike, once); labels are names from config and fixed words, so they stay bounded. */
import {
  AggregatorRegistry,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type MetricObjectWithValues,
  type MetricValue,
} from 'prom-client';
import { GatheringCounter } from './gathering-counter.ts';

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    requests: new GatheringCounter({
      name: 'headgate_requests_total',
      help: 'Requests answered on the data plane, by what they matched and how they ended.',
      labelNames: ['matched', 'consumer', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'headgate_request_duration_seconds',
      help: 'Time from the request head to the end of the answer.',
      labelNames: ['matched'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
      registers,
    }),
    attempts: new GatheringCounter({
      name: 'headgate_upstream_attempts_total',
      help: 'Attempts at targets and upstreams, by outcome.',
      labelNames: ['target', 'outcome'],
      registers,
    }),
    breakerState: new Gauge({
      name: 'headgate_breaker_state',
      help: '0 while a target is asked as ever, 2 while it is passed over if others are there, 1 while a request tries it again.',
      labelNames: ['target'],
      aggregator: 'max',
      registers,
    }),
    upstreamWaiting: new Gauge({
      name: 'headgate_upstream_waiting',
      help: 'Requests that wait because a target has as many at once as it may have.',
      labelNames: ['target'],
      registers,
    }),
    retriesDenied: new GatheringCounter({
      name: 'headgate_upstream_retries_denied_total',
      help: 'Retries that were not made because the upstream had its share of them.',
      labelNames: ['target'],
      registers,
    }),
    usageEstimated: new GatheringCounter({
      name: 'headgate_usage_estimated_total',
      help: 'Requests whose tokens had to be estimated, wholly or in part, because the provider did not tell them.',
      labelNames: ['target'],
      registers,
    }),
    tokens: new GatheringCounter({
      name: 'headgate_tokens_total',
      help: 'Tokens that providers reported, or that were estimated where they did not, by target and direction.',
      labelNames: ['target', 'direction'],
      registers,
    }),
    cost: new GatheringCounter({
      name: 'headgate_cost_usd_total',
      help: 'US dollars that tokens cost by the prices of the configuration, by target and consumer.',
      labelNames: ['target', 'consumer'],
      registers,
    }),
    quotaWarnings: new GatheringCounter({
      name: 'headgate_quota_warnings_total',
      help: 'Requests that were let through although a quota was beyond its `warnAt`, or a soft one beyond its limit.',
      labelNames: ['quota', 'consumer'],
      registers,
    }),
    quotaRefusals: new GatheringCounter({
      name: 'headgate_quota_refusals_total',
      help: 'Requests refused because a quota was used up.',
      labelNames: ['quota', 'consumer'],
      registers,
    }),
    quotaUncounted: new Counter({
      name: 'headgate_quota_uncounted_total',
      help: 'Requests that were served uncounted because the quota store was away and the quota is declared open.',
      labelNames: ['quota'],
      registers,
    }),
    quotaLocal: new Counter({
      name: 'headgate_quota_local_total',
      help: 'Requests that this replica counted by itself because the quota store was away.',
      labelNames: ['quota'],
      registers,
    }),
    ledgerDropped: new Counter({
      name: 'headgate_ledger_dropped_total',
      help: 'Records that are missing from the ledger because it could not be written for too long.',
      registers,
    }),
    ledgerWaiting: new Gauge({
      name: 'headgate_ledger_waiting',
      help: 'Records that wait to be written into the ledger.',
      registers,
    }),
    workersListening: new Gauge({
      name: 'headgate_workers',
      help: 'Worker processes that take connections; 0 where one process does everything.',
      registers,
    }),
    workersDied: new Counter({
      name: 'headgate_worker_deaths_total',
      help: 'Worker processes that ended although nobody told them to.',
      registers,
    }),
    workerCallsLost: new Counter({
      name: 'headgate_worker_calls_lost_total',
      help: 'Calls that held something of a quota and were under way at a worker that ended: no ledger has them.',
      registers,
    }),
    quotaInDoubt: new Counter({
      name: 'headgate_quota_in_doubt_total',
      help: 'What such calls held and quotas count as used, because nobody knows what of it was: in the unit of the quota.',
      labelNames: ['quota', 'unit'],
      registers,
    }),
    inFlight: new Gauge({ name: 'headgate_requests_in_flight', help: 'Requests being answered now.', registers }),
    generationsLive: new Gauge({
      name: 'headgate_generations_live',
      help: 'Generations that still serve a request or will serve the next.',
      aggregator: 'max',
      registers,
    }),
    configInfo: new Gauge({
      name: 'headgate_config_info',
      help: 'Always 1; the labels tell which revision is active.',
      labelNames: ['revision', 'artifact', 'digest'],
      aggregator: 'first',
      registers,
    }),
    keyExpiry: new Gauge({
      name: 'headgate_key_expiry_timestamp_seconds',
      help: 'When a key of the active revision expires or has expired, as Unix time, by consumer and the beginning of its hash.',
      labelNames: ['consumer', 'key'],
      aggregator: 'first',
      registers,
    }),
    configSeq: new Gauge({
      name: 'headgate_config_seq',
      help: 'Sequence number of the active artifact.',
      aggregator: 'first',
      registers,
    }),
    configTipSeq: new Gauge({
      name: 'headgate_config_tip_seq',
      help: 'Sequence number of the newest artifact that was verified, whether it serves or not.',
      registers,
    }),
    lastPollSuccess: new Gauge({
      name: 'headgate_config_last_poll_success_timestamp_seconds',
      help: 'When the source last answered in full, as Unix time.',
      registers,
    }),
    pollErrors: new Counter({
      name: 'headgate_config_poll_errors_total',
      help: 'Polls that failed, by code.',
      labelNames: ['code'],
      registers,
    }),
    transitions: new Counter({
      name: 'headgate_config_transitions_total',
      help: 'State changes of the revision life cycle.',
      labelNames: ['to', 'reason'],
      registers,
    }),
    rollbacks: new Counter({
      name: 'headgate_config_rollbacks_total',
      help: 'Revisions taken back because of their health.',
      labelNames: ['rule'],
      registers,
    }),
    held: new Gauge({
      name: 'headgate_config_held',
      help: '1 while the newest revision is refused, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    rolloutShare: new Gauge({
      name: 'headgate_config_rollout_share',
      help: 'Share of the consumers that a revision in a staged rollout serves; 0 while there is none.',
      registers,
    }),
    paused: new Gauge({
      name: 'headgate_config_paused',
      help: '1 while an operator holds the revision, by kind of order.',
      labelNames: ['kind'],
      registers,
    }),
    stateDirProblem: new Gauge({
      name: 'headgate_state_dir_problem',
      help: '1 while the state directory cannot be written and what was decided is held in memory only.',
      registers,
    }),
    tlsExpiry: new Gauge({
      name: 'headgate_tls_certificate_expiry_timestamp_seconds',
      help: 'When what TLS on the data plane rests on ends, as Unix time: its own certificate, and the authorities for clients.',
      labelNames: ['certificate'],
      aggregator: 'min',
      registers,
    }),
    tlsRenewalFailed: new Gauge({
      name: 'headgate_tls_renewal_failed',
      help: '1 while the files for TLS are refused and what they held before is in use.',
      aggregator: 'max',
      registers,
    }),
    wordFailures: new Counter({
      name: 'headgate_config_word_failures_total',
      help: 'Messages about revisions that did not arrive, by where they should have gone.',
      labelNames: ['to'],
      registers,
    }),
    swapSeconds: new Histogram({
      name: 'headgate_config_swap_duration_seconds',
      help: 'Time to build a generation from a verified artifact and make it the active one.',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
      aggregator: 'first',
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** The metrics of one process as they travel. */
export type MetricFigures = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Several processes as one, in the text format of Prometheus. */
export const togetherInWords = (all: readonly MetricFigures[]): Promise<string> =>
  AggregatorRegistry.aggregate(all.map((figures) => [...figures])).metrics();
