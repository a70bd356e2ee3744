/** Where data goes: the address behind a provider or upstream, and who sends to it. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { say, type Phrase } from './change.ts';
import { entryOf, isRecord, referrers } from './revision.ts';
import { legsOf, targetsOf } from './legs.ts';

/** Scheme, host and path; undefined for a provider that answers in process. */
export function addressOf(snapshot: Snapshot, provider: string): string | undefined {
  const options = entryOf(snapshot.providers, provider)?.options;
  const url = isRecord(options) ? options['baseUrl'] : undefined;
  return typeof url === 'string' ? url : undefined;
}

/** What decides where data goes to; the path below a host does not. */
export function hostOf(snapshot: Snapshot, provider: string): string {
  const address = addressOf(snapshot, provider);
  return address !== undefined && URL.canParse(address) ? new URL(address).host : '';
}

export function whereInWords(snapshot: Snapshot, provider: string): Phrase {
  const address = addressOf(snapshot, provider);
  return address === undefined ? say`this process itself` : say`${address}`;
}

/** Models by the providers of their targets. */
export const modelsByProvider = (snapshot: Snapshot) =>
  referrers(snapshot.models, ({ targets }) => legsOf(targets, snapshot).map(({ provider }) => provider));

/** Models by the `provider/model` of their targets, also of those that are left out for what they cost. */
export const modelsByTarget = (snapshot: Snapshot) =>
  referrers(snapshot.models, ({ targets }) =>
    [...targetsOf(targets)].map(({ provider, model }) => `${provider}/${model}`),
  );

export const routesByUpstream = (snapshot: Snapshot) => referrers(snapshot.routes, ({ upstream }) => [upstream]);
