/** The whole story of a model request. */
import type { SurfaceExchange } from '../exchange.ts';
import { accept } from './accept.ts';
import { dispatch } from './dispatch.ts';
import { fit } from './fit.ts';
import { guard } from './guard.ts';
import { identify } from './identify.ts';
import { lookup } from './lookup.ts';
import { relay } from './relay.ts';
import { reserve } from './reserve.ts';
import { resolve } from './resolve.ts';
import { settle } from './settle.ts';

export async function modelLine(exchange: SurfaceExchange): Promise<void> {
  const identified = identify(exchange); // who is asking?                 401
  const accepted = await accept(identified); // body -> call               400, 413, 415
  const begun = performance.now();
  const resolved = resolve(accepted); // model, prompt, targets            400, 403, 404
  const guarded = guard(resolved); // policies on the way in               422
  const fitted = fit(guarded); // conversation inside the window           400
  accepted.outcome.ownMs = performance.now() - begun;
  const reserved = await reserve(fitted, fitted.model.quotas); // quotas   429, 503
  let thrown: unknown;
  try {
    const lookedUp = lookup(reserved); // cached?
    const answered = await dispatch(lookedUp); // targets, retries, fallback 502, 504
    await relay(answered); // first byte: no way back
  } catch (error) {
    thrown = error;
    throw error;
  } finally {
    await settle(reserved, thrown);
  }
}
