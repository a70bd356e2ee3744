/** Keys of consumers: which open something new, which stop working, which change hands. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { waysIn } from './certificates.ts';
import { counted, joined, say, type Change, type Phrase } from './change.ts';
import { listChange, paired, type Sides } from './revision.ts';

/** Enough of a hash to find it in the file. */
export const inShort = (hash: string): Phrase => say`${`${hash.slice(0, 'sha256:'.length + 8)}…`}`;
const allInShort = (hashes: readonly string[]): Phrase => joined(hashes.map(inShort), ', ');

const ownersOf = (snapshot: Snapshot): Map<string, string> =>
  new Map(
    Object.entries(snapshot.consumers).flatMap(([name, { keys }]) => keys.map((key): [string, string] => [key, name])),
  );

function moves({ base, head }: Sides): Change[] {
  const before = ownersOf(base);
  return [...ownersOf(head)].flatMap(([key, owner]): Change[] => {
    const old = before.get(key);
    if (old === undefined || old === owner) return [];
    const sentence = say`key ${inShort(key)} moves from consumer ${old} to ${owner}: who holds it calls as ${owner} now`;
    return [{ kind: 'key_moved', risk: 'high', object: `consumers.${owner}`, sentence, details: [] }];
  });
}

export function keyChanges(sides: Sides): Change[] {
  const [before, after] = [ownersOf(sides.base), ownersOf(sides.head)];
  const kept = paired(sides.base.consumers, sides.head.consumers).kept.flatMap(({ name, ...pair }): Change[] => {
    const { gone, come } = listChange(pair.before.keys, pair.after.keys);
    // One that moved is told once.
    const [ended, begun] = [gone.filter((key) => !after.has(key)), come.filter((key) => !before.has(key))];
    const object = `consumers.${name}`;
    const left = pair.after.keys.length;
    const old = say`until now: ${allInShort(ended)}`;
    const opened: Change = {
      kind: 'key_added',
      risk: 'medium',
      object,
      sentence: say`consumer ${name}: ${counted(begun.length, 'new key')} open${[begun.length === 1 ? 's' : '']} what it may use`,
      details: [allInShort(begun)],
    };
    if (ended.length === 0) return begun.length === 0 ? [] : [opened];
    const closed = (sentence: Phrase, details: readonly Phrase[]): Change => ({
      kind: 'key_removed',
      risk: 'high',
      object,
      sentence,
      details,
    });
    if (left === 0) {
      const only = waysIn(pair.after).length === 0 ? say`, and cannot call any more` : [];
      return [closed(say`consumer ${name} has no key left${only}`, [old])];
    }
    if (left === begun.length) {
      const sentence = say`consumer ${name}: every key it had stops working, ${counted(begun.length, 'new key')} take${[begun.length === 1 ? 's' : '']} over`;
      const details = [
        say`none of the old stays beside the new: callers must change over at the same moment, or get 401`,
        say`${old}; from now on: ${allInShort(begun)}`,
      ];
      return [closed(sentence, details)];
    }
    const sentence = say`consumer ${name}: ${counted(ended.length, 'key')} stop${[ended.length === 1 ? 's' : '']} working; who still calls with ${[ended.length === 1 ? 'it' : 'one of them']} gets 401`;
    return [closed(sentence, [old]), ...(begun.length === 0 ? [] : [opened])];
  });
  return [...moves(sides), ...kept];
}
