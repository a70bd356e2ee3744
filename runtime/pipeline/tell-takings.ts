/** Tells of what was drawn from quotas: the client, the metrics, and who asks later what was decided. */
import type { HeadgateError } from '../errors.ts';
import type { AskedOf } from '../exchange.ts';
import type { Drawn } from '../outcome.ts';
import { warns, writeQuotaHeaders, writeWarnings } from './quota-headers.ts';
import type { Drawing } from './shares.ts';
import type { Obstacle, Taken } from './taking.ts';

const whose = ({ quota: { scope }, share }: AskedOf, { consumer }: Drawing): string => {
  if (scope.length === 0) return 'all consumers';
  return scope.length === 1 && scope[0] === 'consumer' ? consumer.name : share.words;
};

/** `taken` is undefined where the store was not asked, or did not answer. */
const drawn = (one: AskedOf, taken: Taken | undefined, drawing: Drawing): Drawn => ({
  quota: one.quota.name,
  unit: one.quota.unit,
  whose: whose(one, drawing),
  limit: taken?.isAlone ? taken.demand.limit : one.quota.limit,
  window: one.quota.window,
  amount: one.demand.amount,
  used: taken?.taking.used,
  resetMs: taken?.taking.resetMs,
  granted: taken?.taking.granted ?? false,
  soft: one.quota.mode === 'soft',
  downgrade: one.quota.downgrade,
  warns: taken !== undefined && warns(taken),
});

/** Each that was asked for, beside what came of it. */
export function drawnOf(asked: readonly AskedOf[], takings: readonly Taken[], drawing: Drawing): readonly Drawn[] {
  return asked.map((one, at) => {
    // They stand beside each other, where the store has answered.
    const beside = takings[at];
    const taken = beside?.share === one.share ? beside : takings.find(({ share }) => share === one.share);
    return drawn(one, taken, drawing);
  });
}

/** With all that the client is told of it. `beside` is what is taken all the same. */
export function refusalBy(exchange: Drawing, obstacle: Obstacle, beside: readonly Taken[] = []): HeadgateError {
  const { house, consumer, outcome } = exchange;
  const { of, asked, takings, isAway } = obstacle;
  writeQuotaHeaders(exchange, [...beside, ...takings]);
  outcome.drawn = [...outcome.drawn, ...drawnOf(asked, takings, exchange)];
  if (!isAway) house.metrics.quotaRefusals.inc({ quota: of.quota.name, consumer: consumer.name });
  return obstacle.why(exchange);
}

interface Telling {
  readonly asked: readonly AskedOf[];
  readonly takings: readonly Taken[];
  readonly beside?: readonly Taken[];
}

/** What was taken for `asked`, in the headers beside what is held already. */
export function tellTakings(exchange: Drawing, { asked, takings, beside = [] }: Telling): void {
  const { house, consumer, outcome } = exchange;
  const all = beside.length === 0 ? takings : [...beside, ...takings];
  writeQuotaHeaders(exchange, all);
  const drawn = drawnOf(asked, takings, exchange);
  outcome.drawn = outcome.drawn.length === 0 ? drawn : [...outcome.drawn, ...drawn];
  if (!all.some(warns)) return;
  writeWarnings(exchange, all.filter(warns));
  for (const { quota } of takings.filter(warns))
    house.metrics.quotaWarnings.inc({ quota: quota.name, consumer: consumer.name });
}
