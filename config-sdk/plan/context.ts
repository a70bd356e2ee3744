/** Conversations: the windows they must fit into, and the policies that decide what is kept of them. */
import { strategyKinds, type ModelSnapshot, type Snapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Change, type Phrase } from './change.ts';
import { mergedLegs, smallestWindow, windowOf } from './legs.ts';
import { optionChanges, optionInWords } from './option-changes.ts';
import { entryOf, paired, referrers, type Pair, type Sides } from './revision.ts';

/** Most input tokens that a model's policy lets through; without a policy, its smallest window. */
function budgetOf(snapshot: Snapshot, { targets, context }: ModelSnapshot): number {
  const window = smallestWindow(targets, snapshot);
  const policy = context === undefined ? undefined : entryOf(snapshot.contextPolicies, context);
  return (policy && strategyKinds[policy.kind]?.budget(policy.options, window)) ?? window;
}

function budgetInWords({ base, head }: Sides, name: string): Phrase[] {
  const [before, after] = [entryOf(base.models, name), entryOf(head.models, name)];
  if (!before || !after) return [];
  const [old, now] = [budgetOf(base, before), budgetOf(head, after)];
  return old === now ? [] : [say`model ${name}: about ${old} → ${now} input tokens are kept`];
}

/** Without a policy nothing is shortened: a request that is too long for a target fails there. */
function tooNarrow({ name, before, after }: Pair<ModelSnapshot>, sides: Sides, old: number): Change[] {
  const narrow = [...mergedLegs(after.targets).values()].filter((leg) => windowOf(leg, sides.head) < old);
  const first = narrow.filter(({ share }) => share > 0);
  const half = smallestWindow(after.targets, sides.head) * 2 <= smallestWindow(before.targets, sides.base);
  const details = [
    say`longer requests fail at ${listed(narrow.map(({ label }) => label))}: the model has no context policy`,
  ];
  return [
    {
      kind: 'window_changed',
      // Half of it gone is another class of model, not another version.
      risk: first.length === 0 ? 'low' : half ? 'high' : 'medium',
      object: `models.${name}`,
      sentence: windowInWords({ name, before, after }, sides),
      details,
    },
  ];
}

function windowInWords({ name, before, after }: Pair<ModelSnapshot>, { base, head }: Sides): Phrase {
  const [old, now] = [smallestWindow(before.targets, base), smallestWindow(after.targets, head)];
  return say`model ${name}: the smallest window among its targets ${[now < old ? 'shrinks' : 'grows']} from ${old} to ${now} tokens`;
}

function windowChanges(pair: Pair<ModelSnapshot>, sides: Sides): Change[] {
  const { name, before, after } = pair;
  const [old, now] = [smallestWindow(before.targets, sides.base), smallestWindow(after.targets, sides.head)];
  if (old === now) return [];
  if (now < old && after.context === undefined) return tooNarrow(pair, sides, old);
  const details = before.context === after.context && after.context !== undefined ? budgetInWords(sides, name) : [];
  const risk = now < old ? 'medium' : 'info';
  return [{ kind: 'window_changed', risk, object: `models.${name}`, sentence: windowInWords(pair, sides), details }];
}

function attachment({ name, before, after }: Pair<ModelSnapshot>, sides: Sides): Change[] {
  const [old, now] = [before.context, after.context];
  if (old === now) return [];
  const object = `models.${name}`;
  const details = budgetInWords(sides, name);
  if (now === undefined) {
    const sentence = say`model ${name} no longer has context policy ${old ?? ''}: conversations above the window fail`;
    return [{ kind: 'context_changed', risk: 'high', object, sentence, details }];
  }
  const sentence =
    old === undefined
      ? say`model ${name} now has context policy ${now}: long conversations lose their oldest turns`
      : say`model ${name} has context policy ${now} instead of ${old}`;
  return [{ kind: 'context_changed', risk: 'medium', object, sentence, details }];
}

export function contextChanges(sides: Sides): Change[] {
  const { base, head } = sides;
  const kept = paired(base.models, head.models).kept;
  const cut = referrers(head.models, ({ context }) => (context === undefined ? [] : [context]));
  const policies = paired(base.contextPolicies, head.contextPolicies).kept.flatMap(
    ({ name, before, after }): Change[] => {
      const found = optionChanges(before, after);
      if (found.length === 0) return [];
      const models = cut(name);
      const words = found.map((each) =>
        optionInWords({ ...each, path: each.path.slice(each.path[0] === 'options' ? 1 : 0) }),
      );
      return [
        {
          kind: 'context_changed',
          risk: 'medium',
          object: `contextPolicies.${name}`,
          sentence: say`context policy ${name}: ${joined(words, ', ')}`,
          details: [
            say`cuts the conversations of ${[models.length === 1 ? 'model' : 'models']} ${listed(models)}`,
            ...models.slice(0, 5).flatMap((model) => budgetInWords(sides, model)),
          ],
        },
      ];
    },
  );
  return [...policies, ...kept.flatMap((pair) => [...windowChanges(pair, sides), ...attachment(pair, sides)])];
}
