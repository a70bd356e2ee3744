/** The whole story of a model request. */
import type { SurfaceExchange } from '../exchange.ts';
import { admit } from './admit.ts';
import { attempt } from './attempt.ts';
import { Deadline } from './deadline.ts';
import { dispatch } from './dispatch.ts';
import { lookup } from './lookup.ts';
import { relay } from './relay.ts';
import { settle } from './settle.ts';

export async function modelLine(exchange: SurfaceExchange): Promise<void> {
  const reserved = await admit(exchange); // who, what, may they, how much   4xx, 503
  const deadline = new Deadline(reserved.signal, reserved.model.deadlineMs);
  let thrown: unknown;
  try {
    const lookedUp = lookup(reserved); // cached?
    const answered = await dispatch(lookedUp, deadline, attempt); // targets, retries, fallback 502, 504
    await relay(answered, deadline); // first byte: no way back
  } catch (error) {
    thrown = error;
    throw error;
  } finally {
    deadline.end();
    await settle(reserved, thrown);
  }
}
