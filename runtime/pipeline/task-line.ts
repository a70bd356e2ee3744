/** The whole story of a request for an operation beside conversations. */
import type { TaskExchange } from '../exchange.ts';
import { admitTask } from './admit-task.ts';
import { Deadline } from './deadline.ts';
import { dispatch } from './dispatch.ts';
import { lookup } from './lookup.ts';
import { settle } from './settle.ts';
import { attemptTask } from './task-attempt.ts';
import { relayTask } from './task-relay.ts';

export async function taskLine(exchange: TaskExchange): Promise<void> {
  const reserved = await admitTask(exchange); // who, what, may they, how much   4xx, 503
  const deadline = new Deadline(reserved.signal, reserved.model.deadlineMs);
  let thrown: unknown;
  try {
    const lookedUp = lookup(reserved); // cached?
    const answered = await dispatch(lookedUp, deadline, attemptTask); // targets, retries, fallback 502, 504
    await relayTask(answered, deadline); // first byte: no way back
  } catch (error) {
    thrown = error;
    throw error;
  } finally {
    deadline.end();
    await settle(reserved, thrown);
  }
}
