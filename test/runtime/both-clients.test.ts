/** The fault matrix of upstreams, asked of our own client and of undici side by side: what one makes of a fault, the other does too. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OriginPool } from '../../runtime/upstream/origin-pool.ts';
import { Pools } from '../../runtime/upstream/pools.ts';
import { startScripted, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import { faults, wires, type Wire } from '../support/upstream-faults.ts';

const [wire] = wires as readonly [Wire, ...Wire[]];
/** Longer than any script waits before it goes on; more for a machine with other things to do, where a reset also overtakes what was sent before it. */
const patienceMs = [250, 1_000, 3_000];
/** Of a body that floods. */
const mostBytes = 512 * 1024;

let upstream: ScriptedUpstream;
before(async () => {
  upstream = await startScripted((received) => {
    received.response.on('error', () => undefined);
    const { fault, stream } = received.json as { fault: string; stream: boolean };
    faults[fault]?.act({ received, wire, stream });
  });
});
after(() => upstream.close());

/** `head` and `body` are where it ended; what was read of a body that is complete stands behind it. */
async function outcome(pool: OriginPool, asked: { fault: string; stream: boolean }, ms: number): Promise<string> {
  const late = AbortSignal.timeout(ms);
  const how = (error: unknown) => (late.aborted ? 'is waited for in vain' : `fails: ${error instanceof Error}`);
  let status = 0;
  let size = 0;
  try {
    const body = JSON.stringify(asked);
    const answer = await pool.send({ method: 'POST', path: '/v1/x', headers: {}, body, signal: late });
    status = answer.status;
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body) {
      pieces.push(piece);
      size += piece.byteLength;
      if (size > mostBytes) return `${status}, floods`;
    }
    return `${status}, ${Buffer.concat(pieces).toString('latin1')}`;
  } catch (error) {
    return status === 0
      ? `the head ${how(error)}`
      : `${status}, the body ${how(error)}${late.aborted ? '' : `, after ${size} bytes`}`;
  }
}

describe('both clients, told apart by nothing', { concurrency: 8 }, () => {
  for (const [fault, { stream: streamed, whole }] of Object.entries(faults))
    for (const stream of [false, true])
      if (stream ? streamed : whole)
        test(`${fault}, ${stream ? 'streamed' : 'whole'}`, async (context) => {
          const pools = (['own', 'undici'] as const).map((client) => new OriginPool(upstream.url, client));
          context.after(() => Promise.all(pools.map((pool) => pool.destroy())));
          const both = (ms: number) => Promise.all(pools.map((pool) => outcome(pool, { fault, stream }, ms)));
          let [own, undici]: string[] = ['', 'not asked yet'];
          for (const ms of patienceMs) if (own !== undici) [own, undici] = await both(ms);
          assert.equal(own, undici);
        });
});

test('the setting decides which of them carries plain requests', async (context) => {
  // Our own takes no status that no answer can have.
  const odd = await startScripted(
    ({ response }) => void response.socket?.end('HTTP/1.1 799 Odd\r\ncontent-length: 0\r\n\r\n'),
  );
  context.after(() => odd.close());
  for (const client of ['own', 'undici'] as const) {
    const pools = new Pools(client);
    const { signal } = new AbortController();
    const asked = pools.acquire(odd.url).send({ method: 'POST', path: '/', headers: {}, body: '{}', signal });
    const status = await asked.then(
      (answer) => answer.status,
      () => 'refused',
    );
    assert.equal(status, client === 'own' ? 'refused' : 799);
    await pools.close();
  }
});
