/** The smallest gateway that answers, what it is asked, and what its process has used: for the benches that need no more. */
import { readFileSync } from 'node:fs';
import { snapshotOf } from '../test/support/gateway.ts';

const small = { contextWindow: 8_192, options: { reply: 'hello' } };

export const snapshot = snapshotOf({
  providers: { sandbox: { kind: 'sandbox', options: {}, models: { small } } },
  models: { chat: { targets: { kind: 'target', provider: 'sandbox', model: 'small' } } },
});

export const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'hello' }] });

/** All threads of a process since it began. Linux counts in hundredths of a second. */
export function cpuMsOf(pid: number): number {
  const told = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = told.slice(told.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
