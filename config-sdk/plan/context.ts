/** Conversations: the windows they must fit into, and the policies that decide what is kept of them. */
import { strategyKinds, type ModelSnapshot, type Snapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Change, type Phrase } from './change.ts';
import { smallestWindow } from './legs.ts';
import { optionChanges, optionInWords } from './option-changes.ts';
import { entryOf, namesOf, paired, type Pair, type Sides } from './revision.ts';

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

function windowChanges({ name, before, after }: Pair<ModelSnapshot>, sides: Sides): Change[] {
  const [old, now] = [smallestWindow(before.targets, sides.base), smallestWindow(after.targets, sides.head)];
  if (old === now) return [];
  const shrinks = now < old;
  const kept = after.context !== undefined;
  const effect = shrinks
    ? kept
      ? budgetInWords(sides, name)
      : [say`no context policy shortens conversations: those that are longer fail`]
    : [];
  return [
    {
      kind: 'window_changed',
      // Half of it gone is another class of model, not another version.
      risk: !shrinks ? 'info' : now * 2 <= old && !kept ? 'high' : 'medium',
      object: `models.${name}`,
      sentence: say`model ${name}: the smallest window among its targets ${[shrinks ? 'shrinks' : 'grows']} from ${old} to ${now} tokens`,
      details: effect,
    },
  ];
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
  const policies = paired(base.contextPolicies, head.contextPolicies).kept.flatMap(
    ({ name, before, after }): Change[] => {
      const found = optionChanges(before, after);
      if (found.length === 0) return [];
      const models = namesOf(head.models).filter((each) => entryOf(head.models, each)?.context === name);
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
