/** The authoring face: everything a team's repository imports, and nothing else. */
export { defineGateway } from './gateway.ts';
export type { Acceptance } from './gateway.ts';
export { consumer, organisation, team } from './consumers.ts';
export type { KeyHash, KeySpec } from './consumers.ts';
export { claim, issuer } from './issuers.ts';
export type { ClaimCondition } from './issuers.ts';
export { contextPolicy, model, policy, provider, route, secret, upstream } from './define.ts';
export { capable, cheapest, fastest, leastBusy, only, ordered, roundRobin, sticky, weighted, when } from './groups.ts';
export { invariant, isLimited, needsTier, staysAt, staysWithin } from './invariant.ts';
export type { Holds } from './invariant.ts';
export type { Asked, DecisionGraph, Path } from '@headgate/runtime/graph';
export { quota } from './limits.ts';
export { from, prompt } from './prompt.ts';
export type {
  BoundPrompt,
  Consumer,
  ContextPolicy,
  Duration,
  Gateway,
  Group,
  Invariant,
  Issuer,
  Model,
  Organisation,
  Policy,
  Prompt,
  Provider,
  Quota,
  Route,
  Secret,
  Target,
  TargetOptions,
  Team,
  Upstream,
  Value,
} from './handles.ts';
