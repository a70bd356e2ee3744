/** All that is decided about an operation beside conversations before a provider is asked: the same live and in explanations. */
import type { ReservedTask, TaskExchange } from '../exchange.ts';
import { acceptTask } from './accept-task.ts';
import { carry } from './carry.ts';
import { downgrade } from './downgrade.ts';
import { guard } from './guard.ts';
import { identify } from './identify.ts';
import { reserve } from './reserve.ts';
import { resolve } from './resolve.ts';
import { reachOf } from './estimate.ts';
import { isAnswered, outgoingTask } from './task-outgoing.ts';

export async function admitTask(exchange: TaskExchange): Promise<ReservedTask> {
  const { kind, task } = exchange.asked;
  const identified = identify(exchange); // who is asking?               401
  const accepted = await acceptTask(identified); // body -> task         400, 413, 415
  const begun = performance.now();
  const purpose = { kinds: [kind], answers: isAnswered(task) };
  const resolved = resolve(accepted, purpose); // model, targets         400, 403, 404
  const downgraded = await downgrade(resolved, purpose); // or those of a cheaper model
  const guarded = guard(downgraded); // policies on the way in             422
  const carried = carry(guarded, (target) => outgoingTask(guarded, target).sent.dropped); // all of it? 400
  exchange.outcome.ownMs = performance.now() - begun;
  return reserve(carried, reachOf(carried)); // quotas                   429, 503
}
