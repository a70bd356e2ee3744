/** All that is decided about a model request before a provider is asked: the same live and in explanations. */
import type { Fitted, Reserved, SurfaceExchange } from '../exchange.ts';
import { accept } from './accept.ts';
import { carry } from './carry.ts';
import { downgrade } from './downgrade.ts';
import { fit } from './fit.ts';
import { guard } from './guard.ts';
import { identify } from './identify.ts';
import { reachOf } from './estimate.ts';
import { outgoing } from './outgoing.ts';
import { reserve } from './reserve.ts';
import { conversation, resolve } from './resolve.ts';

export async function admit(exchange: SurfaceExchange): Promise<Reserved<Fitted>> {
  const identified = identify(exchange); // who is asking?               401
  const accepted = await accept(identified); // body -> call             400, 413, 415
  const begun = performance.now();
  const purpose = conversation(accepted);
  const resolved = resolve(accepted, purpose); // model, prompt, targets 400, 403, 404
  const downgraded = await downgrade(resolved, purpose); // or those of a cheaper model
  const guarded = guard(downgraded); // policies on the way in             422
  const fitted = fit(guarded); // conversation inside the window         400
  const carried = carry(fitted, (target) => outgoing(fitted, target).dropped); // all of it? 400
  exchange.outcome.ownMs = performance.now() - begun;
  return reserve(carried, reachOf(carried)); // quotas                   429, 503
}
