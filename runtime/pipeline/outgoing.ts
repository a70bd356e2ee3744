/** What is sent to a target: the client's own body where the target speaks its dialect, a translation otherwise. */
import { gathered, type Call, type JsonObject } from '../call.ts';
import type { ClientDialect } from '../dialects/dialect.ts';
import type { LookedUp } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import { apisFor, type Api, type Connection } from '../providers/provider.ts';
import { joined } from './joined.ts';
import { AttemptFailed } from './patience.ts';

export interface Outgoing {
  readonly api: Api;
  readonly body: JsonObject;
  /** Sent in place of `body`, such as a form with files. */
  readonly bytes?: string | Uint8Array;
  /** The client speaks the target's dialect: the answer passes as it is. */
  readonly native: boolean;
  /** What the target's dialect cannot carry. */
  readonly dropped: readonly string[];
  /** Of the client, for an API that knows them; undefined where there is none. */
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/** Throws `AttemptFailed` while a secret that it needs is absent. */
export function connectionOf({ provider }: LiveTarget): Connection {
  if (!provider.live) throw new AttemptFailed({ kind: 'credential' });
  return provider.live.connection;
}

/** None while a secret that the provider needs is absent. */
const apisOf = ({ provider, kind }: LiveTarget): readonly Api[] =>
  provider.live ? apisFor(provider.live.connection, kind) : [];

/** Whether a target is asked in `dialect` itself. */
export function speaks(target: LiveTarget, { name }: ClientDialect): boolean {
  return apisOf(target).some(({ dialect }) => dialect.name === name);
}

/** The call in the words of the first API that takes the model of the target. Throws `AttemptFailed` while there is none. */
export function translated(call: Call, target: LiveTarget): Outgoing {
  const [api] = apisOf(target);
  if (!api) throw new AttemptFailed({ kind: 'credential' });
  const caps = target.maxOutputTokens === undefined ? {} : { maxOutputTokens: target.maxOutputTokens };
  const written = api.dialect.writeCall({ ...call, messages: joined(call.messages) }, { model: target.model, ...caps });
  return { api, ...written, native: false, headers: undefined };
}

function passedBy({ passes = [] }: Api, { headers }: Sent['request']): Outgoing['headers'] {
  let passed: Record<string, string> | undefined;
  for (const name of passes) {
    const value = headers[name];
    if (typeof value === 'string') passed = { ...passed, [name]: value };
  }
  return passed;
}

type Sent = Pick<LookedUp, 'dialect' | 'body' | 'call' | 'keep' | 'prepend' | 'request'>;

export function outgoing(exchange: Sent, target: LiveTarget): Outgoing {
  const { dialect, body, call, keep, prepend, request } = exchange;
  const api = apisOf(target).find((each) => each.dialect.name === dialect.name);
  if (!api) {
    const kept = keep === undefined ? call.messages : keep.flatMap((index) => call.messages[index] ?? []);
    const whole = gathered({ ...call, messages: kept });
    return translated({ ...whole, messages: [...prepend, ...whole.messages] }, target);
  }
  const edits = { model: target.model, prepend, keep, streamUsage: call.stream };
  const dropped = dialect.leavesOut?.(body) ?? [];
  const headers = passedBy(api, request);
  return { api, body: dialect.rewrite(body, edits), native: true, dropped, headers };
}
