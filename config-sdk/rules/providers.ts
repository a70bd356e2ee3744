/** Providers: the account behind them, the address they give, and the models they declare. */
import { isPrivateHost, providerKinds, type ModelSnapshot, type ProviderSnapshot } from '@headgate/runtime/snapshot';
import { canonicalJson } from '@headgate/runtime/canonical-json';
import { isObject } from '../compile/places.ts';
import { connectionOf } from './connections.ts';
import { allSound, problemAt, served, type Problem, type Project, type Rule, type Served } from './rule.ts';
import { legsOf } from './targets.ts';

type Provider = Served<ProviderSnapshot>;

const providersOf = (project: Project): readonly Provider[] => served<ProviderSnapshot>(project, 'provider');
const optionsOf = ({ value }: Provider): Record<string, unknown> => (isObject(value.options) ? value.options : {});

/** Whether a provider of this kind answers in this process, at no vendor. */
export const isInProcess = (kind: string): boolean => providerKinds[kind]?.transport !== undefined;

interface Reached {
  readonly address: URL;
  /** Each request gets a credential of its own. */
  readonly authorizes: boolean;
}

/** How requests go, by the kind itself; undefined for kinds without an address. */
function reached(kind: string, options: unknown): Reached | undefined {
  const connection = isInProcess(kind) ? undefined : connectionOf({ kind, options });
  if (!connection) return undefined;
  const { origin, apis, authorize } = connection;
  return { address: new URL(origin + apis[0].address({ model: 'any' }).path), authorizes: authorize !== undefined };
}

const addressOf = (kind: string, options: unknown): URL | undefined => reached(kind, options)?.address;

/** The vendor's own address: what the kind uses when nothing is said. A key must stand there to get past the schema. */
const vendorAddress = (kind: string): URL | undefined => addressOf(kind, { apiKey: { $secret: 'ANY' } });

/** Whether requests go to the vendor itself, and not to somebody else who speaks its dialect. */
export function isAtVendor({ kind, options }: ProviderSnapshot): boolean {
  const address = addressOf(kind, options);
  return address !== undefined && address.hostname === vendorAddress(kind)?.hostname;
}

/** In this process, or on a machine of one's own: nobody sends a bill by the token. */
export function isAtHome({ kind, options }: ProviderSnapshot): boolean {
  const address = addressOf(kind, options);
  return isInProcess(kind) || (address !== undefined && isPrivateHost(address.hostname));
}

export const keylessProviders: Rule = (project) =>
  providersOf(project).flatMap((provider): Problem[] => {
    const { address, authorizes } = reached(provider.value.kind, optionsOf(provider)) ?? {};
    const { apiKey, apiKeys } = optionsOf(provider);
    if (!address || authorizes || (apiKey ?? apiKeys) !== undefined || isPrivateHost(address.hostname)) return [];
    const message = `provider '${provider.object.id}' calls ${address.hostname} without a key`;
    return problemAt(
      project,
      { object: provider.object, path: ['options', 'baseUrl'] },
      { code: 'provider_without_key', message },
    );
  });

/** The beginning of `path` that is written twice in a row, such as `/v1` in `/v1/v1/messages`. */
function doubled(path: string): string | undefined {
  const segments = path.split('/').slice(1);
  for (let length = Math.floor(segments.length / 2); length > 0; length -= 1)
    for (let start = 0; start + 2 * length <= segments.length; start += 1) {
      const part = segments.slice(start, start + length).join('/');
      if (part === segments.slice(start + length, start + 2 * length).join('/')) return `/${part}`;
    }
  return undefined;
}

export const endpointPaths: Rule = (project) =>
  providersOf(project).flatMap((provider): Problem[] => {
    const { kind } = provider.value;
    const address = addressOf(kind, optionsOf(provider));
    const vendor = vendorAddress(kind);
    if (!address) return [];
    const twice = doubled(address.pathname);
    const at = { object: provider.object, path: ['options', 'baseUrl'] };
    const asked = `provider '${provider.object.id}' would ask for ${address.pathname}`;
    if (twice !== undefined)
      return problemAt(project, at, { code: 'base_url_path', message: `${asked}, which has ${twice} twice` });
    if (address.hostname !== vendor?.hostname || address.pathname === vendor.pathname) return [];
    return problemAt(project, at, {
      code: 'base_url_path',
      message: `${asked}, where the vendor has ${vendor.pathname}`,
    });
  });

export const needlessHttp: Rule = (project) =>
  providersOf(project).flatMap((provider): Problem[] => {
    const address = addressOf(provider.value.kind, optionsOf(provider));
    const needed = address?.protocol === 'http:' && !isPrivateHost(address.hostname);
    if (!address || optionsOf(provider)['allowInsecureHttp'] !== true || needed) return [];
    const message = `provider '${provider.object.id}' calls ${address.origin}, which needs no exception`;
    const path = ['options', 'allowInsecureHttp'];
    return problemAt(project, { object: provider.object, path }, { code: 'insecure_http_unneeded', message });
  });

export const sameAccounts: Rule = (project) => {
  const first = new Map<string, string>();
  return providersOf(project).flatMap((provider): Problem[] => {
    const { object, value } = provider;
    if (isInProcess(value.kind)) return [];
    const key = canonicalJson({ kind: value.kind, ...optionsOf(provider) });
    const other = first.get(key);
    if (other === undefined) first.set(key, object.id);
    if (other === undefined || other === object.id) return [];
    const message = `provider '${object.id}' is the same account as provider '${other}'`;
    return problemAt(project, { object, path: [] }, { code: 'same_account', message });
  });
};

export const unusedProviderModels: Rule = (project) => {
  if (!allSound(project, 'model')) return [];
  const used = new Map<string, Set<string>>();
  for (const { value } of served<ModelSnapshot>(project, 'model'))
    for (const { node } of legsOf(value.targets, []))
      used.set(node.provider, (used.get(node.provider) ?? new Set()).add(node.model));
  return providersOf(project).flatMap(({ object, value }) => {
    const wanted = used.get(object.id) ?? new Set();
    // A misspelt target has its finding; the model it means is not unused.
    if ([...wanted].some((name) => !Object.hasOwn(value.models, name))) return [];
    return Object.keys(value.models).flatMap((name): Problem[] => {
      if (wanted.has(name)) return [];
      const place = project.placeOf(object, ['models', name]);
      const message = `no target uses model '${name}' of provider '${object.id}'`;
      return place ? [{ code: 'provider_model_unused', place: { ...place, name: true }, message }] : [];
    });
  });
};

export const outputCaps: Rule = (project) =>
  providersOf(project).flatMap(({ object, value }) =>
    Object.entries(value.models).flatMap(([name, { contextWindow, maxOutputTokens }]): Problem[] => {
      if (maxOutputTokens === undefined || maxOutputTokens < contextWindow) return [];
      const message = `model '${name}' of provider '${object.id}' would answer with ${maxOutputTokens} tokens in a window of ${contextWindow}`;
      const path = ['models', name, 'maxOutputTokens'];
      return problemAt(project, { object, path }, { code: 'output_exceeds_window', message });
    }),
  );
