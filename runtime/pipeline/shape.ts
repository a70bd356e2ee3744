/** Whether a target may be asked while others are there. */
import type { House } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';

export interface Shape {
  readonly isWell: boolean;
  readonly isReady: boolean;
}

export function shapeOf(target: LiveTarget, { upstreams }: Pick<House, 'upstreams'>): Shape {
  const { keys: memory } = upstreams;
  const keys = target.provider.live?.keys ?? [];
  // A provider that refuses every key is asked all the same: whether its revision is to blame must come out.
  const hasKey = memory.ready(keys, target.model).length > 0 || memory.allRefused(keys);
  const { breaker, admission } = upstreams.of(target);
  const isWell = breaker.mayEnter;
  return { isWell, isReady: hasKey && isWell && admission.hasRoom(target.maxConcurrency) };
}
