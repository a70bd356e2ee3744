/** Who keeps files and batches for whom. */
import type { ConsumerSnapshot, ProviderSnapshot } from '@headgate/runtime/snapshot';
import { connectionOf } from './connections.ts';
import { byName, problemAt, served, type Problem, type Rule } from './rule.ts';

export const unkeptFiles: Rule = (project) =>
  served<ProviderSnapshot>(project, 'provider').flatMap(({ object, value }): Problem[] => {
    if (!value.files || connectionOf(value)?.holdings) return [];
    const message = `provider '${object.id}' has files, and no API for them is known of kind ${value.kind}`;
    return problemAt(project, { object, path: ['files'] }, { code: 'account_unfit', message });
  });

export const unfitAccounts: Rule = (project) => {
  const providers = byName(project, 'provider');
  const sole = new Map<string, string>();
  return served<ConsumerSnapshot>(project, 'consumer').flatMap(({ object, value: { files = [] } }) =>
    files.flatMap((name, index): Problem[] => {
      const provider = providers.get(name)?.value as ProviderSnapshot | undefined;
      const at = { object, path: ['files', index] };
      if (!provider) return [];
      if (!provider.files) {
        const message = `consumer '${object.id}': provider '${name}' does not say how it keeps files`;
        return problemAt(project, at, { code: 'account_unfit', message });
      }
      if (provider.files.sole !== true) return [];
      const other = sole.get(name);
      sole.set(name, other ?? object.id);
      if (other === undefined || other === object.id) return [];
      const message = `consumer '${object.id}': provider '${name}' is the sole account of consumer '${other}'`;
      return problemAt(project, at, { code: 'account_unfit', message });
    }),
  );
};
