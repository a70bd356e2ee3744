/** How two decisions about one request differ, in the terms that requests are grouped by. */
import type { Decision } from '@headgate/runtime/decide';
import type { Risk } from '../change.ts';

/** In the order in which differences of equal risk and number are told. */
export const differenceKinds = [
  'refused_now',
  'admitted_now',
  'answered_by_another',
  'other_target',
  'other_upstream',
  'cut_more',
  'other_path',
  'other_prompt',
  'other_fallbacks',
  'cut_less',
  'refused_otherwise',
] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

export interface Difference {
  readonly kind: DifferenceKind;
  readonly risk: Risk;
  /** Code, target, upstream, model or route, by kind. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** `collection.name` of what in the configuration decides so. */
  readonly object?: string | undefined;
  /** Messages that are left out more, or less. */
  readonly messages?: number;
}

/** Refusals that say who may do what: to lift one is to give access. */
const aboutAccess: ReadonlySet<string> = new Set([
  'missing_api_key',
  'invalid_api_key',
  'model_not_allowed',
  'prompt_not_allowed',
  'route_not_allowed',
  'blocked_by_policy',
]);

function ofVerdicts({ refusal: before }: Decision, { refusal: after }: Decision): Difference | undefined {
  if (after && !before) return { kind: 'refused_now', risk: 'high', to: after.code, object: after.object };
  if (before && !after) {
    const risk = aboutAccess.has(before.code) ? 'high' : 'medium';
    return { kind: 'admitted_now', risk, from: before.code, object: before.object };
  }
  if (!before || !after || before.code === after.code) return undefined;
  return { kind: 'refused_otherwise', risk: 'info', from: before.code, to: after.code, object: after.object };
}

function* ofDestinations(before: Decision, after: Decision): Generator<Difference> {
  const [from, to] = [before.outcome.order, after.outcome.order];
  if (from[0] !== to[0]) yield { kind: 'other_target', risk: 'medium', from: from[0], to: to[0] };
  else if (from.join('\n') !== to.join('\n')) yield { kind: 'other_fallbacks', risk: 'low' };
  const [old, now] = [before.upstream, after.upstream];
  if (old?.name !== now?.name) yield { kind: 'other_upstream', risk: 'medium', from: old?.name, to: now?.name };
  else if (old?.path !== now?.path) yield { kind: 'other_path', risk: 'low' };
}

function* ofMessages(before: Decision, after: Decision): Generator<Difference> {
  const text = ({ prompt }: Decision) => prompt.map((message) => `${message.role}\n${message.text}`).join('\n\n');
  if (text(before) !== text(after)) {
    const name = after.outcome.prompt ?? before.outcome.prompt;
    yield { kind: 'other_prompt', risk: 'low', object: name && `prompts.${name}` };
  }
  const fewer = (before.kept?.length ?? 0) - (after.kept?.length ?? 0);
  if (fewer === 0) return;
  const policy = after.outcome.fit?.policy ?? before.outcome.fit?.policy;
  const object = policy && `contextPolicies.${policy}`;
  if (fewer > 0) yield { kind: 'cut_more', risk: 'medium', object, messages: fewer };
  else yield { kind: 'cut_less', risk: 'low', object, messages: -fewer };
}

export function differencesOf(before: Decision, after: Decision): readonly Difference[] {
  if (before.refusal || after.refusal) return [ofVerdicts(before, after) ?? []].flat();
  const [from, to] = [before.outcome.matched, after.outcome.matched];
  if (from !== to) return [{ kind: 'answered_by_another', risk: 'high', from, to }];
  return [...ofDestinations(before, after), ...ofMessages(before, after)];
}
