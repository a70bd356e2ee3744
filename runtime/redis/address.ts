/** Reads the address of a Redis: one server, the nodes of a cluster, or the sentinels that know the master. */

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface RedisAddress {
  readonly form: 'server' | 'cluster' | 'sentinel';
  /** Of a cluster, some nodes to begin with. */
  readonly places: readonly [Place, ...Place[]];
  /** How sentinels call the master. */
  readonly master: string;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly isSecure: boolean;
}

const howTo =
  'the Redis address is not understood; write redis[s]://[user:password@]host[:port][/database], with ?sentinel=NAME ' +
  'and the sentinels as hosts, or with ?cluster and some nodes as hosts: host[:port],host[:port]';

// Read here and not by the client, which takes any of its options from the query and repeats a bad address in its error.
const shape = /^(rediss?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/(\d*))?(?:\?([^?#]*))?$/i;

const defaultPorts = { server: 6_379, cluster: 6_379, sentinel: 26_379 };

export function parseRedisAddress(text: string): RedisAddress {
  const [, scheme = '', login, hosts = '', database = '', query] = shape.exec(text) ?? [];
  const asked = askedIn(query);
  if (scheme === '' || !asked) throw new Error(howTo);
  const [first, ...others] = hosts.split(',').map((host) => placeFrom(scheme, host, defaultPorts[asked.form]));
  const isMany = others.length > 0;
  if (!first || (isMany && asked.form === 'server') || (asked.form === 'cluster' && Number(database) !== 0))
    throw new Error(howTo);
  return {
    ...asked,
    places: [first, ...others],
    db: Number(database),
    ...loginFrom(login),
    isSecure: scheme.toLowerCase() === 'rediss',
  };
}

function askedIn(query: string | undefined): Pick<RedisAddress, 'form' | 'master'> | undefined {
  if (query === undefined) return { form: 'server', master: '' };
  if (query === 'cluster') return { form: 'cluster', master: '' };
  const master = /^sentinel=([\w.-]+)$/.exec(query)?.[1];
  return master === undefined ? undefined : { form: 'sentinel', master };
}

function placeFrom(scheme: string, host: string, defaultPort: number): Place {
  const url = URL.canParse(`${scheme}://${host}`) ? new URL(`${scheme}://${host}`) : undefined;
  if (!url || url.hostname === '') throw new Error(howTo);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? defaultPort : Number(url.port) };
}

function loginFrom(login: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  const [username = '', ...rest] = (login ?? '').split(':');
  const password = rest.join(':');
  try {
    return {
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
    };
  } catch {
    // Its own error would repeat the password.
    throw new Error(howTo);
  }
}
