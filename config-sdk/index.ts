/** The authoring face: everything a team's repository imports, and nothing else. */
export { defineGateway } from './gateway.ts';
export type { Acceptance } from './gateway.ts';
export {
  consumer,
  contextPolicy,
  model,
  ordered,
  policy,
  provider,
  quota,
  route,
  secret,
  upstream,
  weighted,
} from './define.ts';
export { from, prompt } from './prompt.ts';
export type {
  BoundPrompt,
  Consumer,
  ContextPolicy,
  Duration,
  Gateway,
  Group,
  Model,
  Policy,
  Prompt,
  Provider,
  Quota,
  Route,
  Secret,
  Target,
  TargetOptions,
  Upstream,
  Value,
} from './handles.ts';
