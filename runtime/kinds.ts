/** Kinds by name. The `Record` view is what the core sees: it loops over kinds and never names one. */
import * as balancers from './balancing/index.ts';
import type { Balancer } from './balancing/balancer.ts';
import * as strategies from './context/index.ts';
import type { ContextStrategy } from './context/strategy.ts';
import * as policies from './policies/index.ts';
import type { PolicyKind } from './policies/policy.ts';
import * as providers from './providers/index.ts';
import type { ProviderKind } from './providers/provider.ts';

export const providerKinds: Readonly<Record<string, ProviderKind>> = providers;
export const policyKinds: Readonly<Record<string, PolicyKind>> = policies;
export const strategyKinds: Readonly<Record<string, ContextStrategy>> = strategies;
export const balancerKinds: Readonly<Record<string, Balancer>> = balancers;

/** The same registries with their exact types, for authoring. */
export { policies as policyKindTable, providers as providerKindTable, strategies as contextKinds };
