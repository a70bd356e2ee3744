/** What a new model or route is, in the few lines that a reviewer needs. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Phrase } from './change.ts';
import { attachedQuotas } from './limits.ts';
import { targetsInWords } from './legs.ts';
import { entryOf } from './revision.ts';

export function describeModel(snapshot: Snapshot, name: string): Phrase[] {
  const model = entryOf(snapshot.models, name);
  if (!model) return [];
  const { targets, prompt, context, policies = [], quotas } = model;
  const around = [
    attachedQuotas(quotas, snapshot),
    policies.length === 0 ? say`no policy` : say`policies ${listed(policies)}`,
    ...(prompt ? [say`prompt ${prompt.name}`] : []),
    context === undefined ? say`no context policy` : say`context policy ${context}`,
  ];
  return [say`targets: ${targetsInWords(targets, snapshot)}`, joined(around, '; ')];
}

/** Methods, host and path as a client would ask. */
export function requestInWords({
  path,
  methods,
  host,
}: Pick<Snapshot['routes'][string], 'path' | 'methods' | 'host'>): Phrase {
  return say`${[methods ? methods.join(', ') : 'any method']} ${`${host ?? ''}${path}`}`;
}

export function describeRoute(snapshot: Snapshot, name: string): Phrase[] {
  const route = entryOf(snapshot.routes, name);
  if (!route) return [];
  const address = entryOf(snapshot.upstreams, route.upstream)?.url ?? route.upstream;
  return [say`${requestInWords(route)}, forwarded to ${address}`, attachedQuotas(route.quotas, snapshot)];
}
