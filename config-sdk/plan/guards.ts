/** Policies over what goes in: taken off, put on, or saying something else. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Change, type Phrase } from './change.ts';
import { losesEntries, optionChanges, optionInWords } from './option-changes.ts';
import { entryOf, listChange, paired, referrers, type Sides } from './revision.ts';

const sortWord = (names: readonly string[]): Phrase => [names.length === 1 ? 'model' : 'models'];

function collect(into: Map<string, string[]>, policies: readonly string[], model: string): void {
  for (const policy of policies) into.set(policy, [...(into.get(policy) ?? []), model]);
}

/** Models by the policy that they lost or gained; one sentence for each policy, however many models it guards. */
function attachments({ base, head }: Sides): Change[] {
  const [off, on] = [new Map<string, string[]>(), new Map<string, string[]>()];
  const reordered: string[] = [];
  for (const { name, before, after } of paired(base.models, head.models).kept) {
    const { gone, come } = listChange(before.policies, after.policies);
    collect(off, gone, name);
    collect(on, come, name);
    const same = gone.length + come.length === 0;
    if (same && (before.policies ?? []).join('\n') !== (after.policies ?? []).join('\n')) reordered.push(name);
  }
  const kindOf = (snapshot: Snapshot, policy: string): Phrase =>
    say`(${entryOf(snapshot.policies, policy)?.kind ?? 'unknown'})`;
  return [
    ...[...off].map(([policy, models]): Change => {
      const bare = models.filter((model) => (entryOf(head.models, model)?.policies ?? []).length === 0);
      return {
        kind: 'guard_removed',
        risk: 'high',
        object: `policies.${policy}`,
        sentence: say`policy ${policy} ${kindOf(base, policy)} no longer guards ${sortWord(models)} ${listed(models)}`,
        details: bare.length === 0 ? [] : [say`no policy is left on ${listed(bare)}: everything passes`],
      };
    }),
    ...[...on].map(([policy, models]): Change => ({
      kind: 'guard_added',
      risk: 'low',
      object: `policies.${policy}`,
      sentence: say`policy ${policy} ${kindOf(head, policy)} now guards ${sortWord(models)} ${listed(models)}`,
      details: [say`requests that it refuses get 422`],
    })),
    ...reordered.map((model): Change => ({
      kind: 'guard_changed',
      risk: 'info',
      object: `models.${model}`,
      sentence: say`model ${model}: the same policies in another order`,
      details: [],
    })),
  ];
}

function definitions({ base, head }: Sides): Change[] {
  const guarded = referrers(head.models, ({ policies = [] }) => policies);
  return paired(base.policies, head.policies).kept.flatMap(({ name, before, after }): Change[] => {
    const found = optionChanges(before, after);
    if (found.length === 0) return [];
    const models = guarded(name);
    const weaker = before.kind !== after.kind || found.some(losesEntries);
    const words = found.map((each) =>
      optionInWords({ ...each, path: each.path.slice(each.path[0] === 'options' ? 1 : 0) }),
    );
    return [
      {
        kind: 'guard_changed',
        risk: weaker ? 'high' : 'medium',
        object: `policies.${name}`,
        sentence: say`policy ${name}: ${joined(words, ', ')}`,
        details: [say`guards ${sortWord(models)} ${listed(models)}`],
      },
    ];
  });
}

export const guardChanges = (sides: Sides): Change[] => [...attachments(sides), ...definitions(sides)];
