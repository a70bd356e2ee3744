/** Certificates that stand for consumers: which open something new, which stop, which change hands; and how a consumer may call at all. */
import type { ConsumerSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { counted, listed, say, type Change, type Phrase } from './change.ts';
import { listChange, paired, type Sides } from './revision.ts';

type Credentials = Pick<ConsumerSnapshot, 'keys' | 'certificates' | 'jwt'>;

const countedNames = (count: number): Phrase => counted(count, 'name of certificates', 'names of certificates');

/** What it can show to say who it is. */
export function waysIn({ keys, certificates = [], jwt = [] }: Credentials): Phrase[] {
  return [
    ...(keys.length > 0 ? [counted(keys.length, 'key')] : []),
    ...(certificates.length > 0 ? [countedNames(certificates.length)] : []),
    ...(jwt.length > 0 ? [counted(jwt.length, 'sort of tokens', 'sorts of tokens')] : []),
  ];
}

const ownersOf = ({ consumers }: Snapshot): Map<string, string> =>
  new Map(
    Object.entries(consumers).flatMap(([name, { certificates = [] }]) =>
      certificates.map((each): [string, string] => [each, name]),
    ),
  );

export function certificateChanges(sides: Sides): Change[] {
  const [before, after] = [ownersOf(sides.base), ownersOf(sides.head)];
  const moved = [...after].flatMap(([name, owner]): Change[] => {
    const old = before.get(name);
    if (old === undefined || old === owner) return [];
    const sentence = say`certificates with ${name} move from consumer ${old} to ${owner}: who has one calls as ${owner} now`;
    return [{ kind: 'key_moved', risk: 'high', object: `consumers.${owner}`, sentence, details: [] }];
  });
  const kept = paired(sides.base.consumers, sides.head.consumers).kept.flatMap(({ name, ...pair }): Change[] => {
    const { gone, come } = listChange(pair.before.certificates, pair.after.certificates);
    // One that moved is told once.
    const [ended, begun] = [gone.filter((each) => !after.has(each)), come.filter((each) => !before.has(each))];
    const object = `consumers.${name}`;
    const opened = say`consumer ${name}: certificates with ${listed(begun)} open what it may use`;
    const closed = say`consumer ${name}: certificates with ${listed(ended)} stop working; who calls with one gets 401`;
    const details = waysIn(pair.after).length === 0 ? [say`nothing else is left: it cannot call any more`] : [];
    return [
      ...(ended.length > 0 ? [{ kind: 'key_removed', risk: 'high', object, sentence: closed, details } as const] : []),
      ...(begun.length > 0
        ? [{ kind: 'key_added', risk: 'medium', object, sentence: opened, details: [] } as const]
        : []),
    ];
  });
  return [...moved, ...kept];
}
