/** How a provider would be reached: asked of its kind, with a stand-in for each secret. */
import { providerKinds, type Connection, type ProviderSnapshot } from '@headgate/runtime/snapshot';

/** Undefined where the options are wrong, or where more is read out of a secret than the stand-in holds. */
export function connectionOf({ kind, options }: Pick<ProviderSnapshot, 'kind' | 'options'>): Connection | undefined {
  const known = providerKinds[kind];
  const parsed = known?.options.safeParse(options);
  if (!known || !parsed?.success) return undefined;
  try {
    return known.connect(parsed.data, () => 'absent');
  } catch {
    return undefined;
  }
}
