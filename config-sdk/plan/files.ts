/** Who may have files and batches kept where, and what takes from consumers what they have there. */
import type { ConsumerSnapshot, ProviderSnapshot } from '@headgate/runtime/snapshot';
import { listed, say, type Change } from './change.ts';
import { listChange, paired, type Pair, type Sides } from './revision.ts';

function accountChanges(name: string, before: ConsumerSnapshot['files'], after: ConsumerSnapshot['files']): Change[] {
  const { gone, come } = listChange(before ?? [], after ?? []);
  const object = `consumers.${name}`;
  const changes: Change[] = [];
  if (come.length > 0) {
    const sentence = say`consumer ${name} may have files and batches kept at ${listed(come)}`;
    const details = [say`what it uploads there leaves the house as it is, batches aside`];
    changes.push({ kind: 'access_gained', risk: 'medium', object, sentence, details });
  }
  if (gone.length > 0) {
    const sentence = say`consumer ${name} loses the files and batches that it has at ${listed(gone)}`;
    changes.push({ kind: 'access_lost', risk: 'high', object, sentence, details: [] });
  } else if (come.length === 0 && (before ?? []).join() !== (after ?? []).join()) {
    const sentence = say`consumer ${name}: another account comes first for its files and batches`;
    changes.push({ kind: 'access_lost', risk: 'high', object, sentence, details: [] });
  }
  return changes;
}

function sealChanges({ name, before, after }: Pair<ProviderSnapshot>): Change[] {
  const [old, now] = [before.files, after.files];
  if (!old || !now) return [];
  const object = `providers.${name}`;
  const changes: Change[] = [];
  if (old.seal.$secret !== now.seal.$secret) {
    const sentence = say`provider ${name}: ids of files and batches are sealed with another secret, and those that consumers have stop working`;
    const details = [say`${old.seal.$secret} → ${now.seal.$secret}`];
    changes.push({ kind: 'credential_changed', risk: 'high', object, sentence, details });
  }
  if ((old.sole === true) !== (now.sole === true)) {
    const sentence =
      now.sole === true
        ? say`provider ${name}: its one consumer may list all files and batches of the account, whoever put them there`
        : say`provider ${name}: files and batches are no longer listed`;
    changes.push({
      kind: now.sole === true ? 'access_gained' : 'access_lost',
      risk: 'high',
      object,
      sentence,
      details: [],
    });
  }
  return changes;
}

export function filesChanges({ base, head }: Sides): Change[] {
  const { added, kept } = paired(base.consumers, head.consumers);
  return [
    ...added.flatMap(({ name, after }) => accountChanges(name, undefined, after.files)),
    ...kept.flatMap(({ name, before, after }) => accountChanges(name, before.files, after.files)),
    ...paired(base.providers, head.providers).kept.flatMap(sealChanges),
  ];
}
