/** How a provider would be reached: asked of its kind, with a stand-in for each secret. */
import { schemaOf, providerKinds, type Connection, type ProviderSnapshot } from '@headgate/runtime/snapshot';

type Account = Pick<ProviderSnapshot, 'kind' | 'options'>;

/** Asked for each target. */
const known = new WeakMap<Account, { readonly connection: Connection | undefined }>();

/** Undefined where the options are wrong, or where more is read out of a secret than the stand-in holds. */
export function connectionOf(account: Account): Connection | undefined {
  const { connection } = known.get(account) ?? { connection: connect(account) };
  known.set(account, { connection });
  return connection;
}

function connect({ kind, options }: Account): Connection | undefined {
  const speaks = providerKinds[kind];
  const parsed = (speaks && schemaOf(speaks.options))?.safeParse(options);
  if (!speaks || !parsed?.success) return undefined;
  try {
    return speaks.connect(parsed.data, () => 'absent');
  } catch {
    return undefined;
  }
}
