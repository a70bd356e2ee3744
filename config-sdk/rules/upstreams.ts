/** Upstreams: where they lead, and which headers can be sent there. */
import {
  isPrivateHost,
  type ProviderSnapshot,
  type RouteSnapshot,
  type UpstreamSnapshot,
} from '@headgate/runtime/snapshot';
import { isObject } from '../compile/places.ts';
import { problemAt, served, type Problem, type Rule } from './rule.ts';

const parsed = (url: unknown): URL | undefined =>
  typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;

export const plainHttp: Rule = (project) =>
  served<UpstreamSnapshot>(project, 'upstream').flatMap(({ object, value }): Problem[] => {
    const url = parsed(value.url);
    if (url?.protocol !== 'http:' || isPrivateHost(url.hostname)) return [];
    const [header] = Object.entries(value.headers ?? {}).find(([, text]) => typeof text !== 'string') ?? [];
    const at = { object, path: ['url'] };
    if (header === undefined)
      return problemAt(project, at, {
        code: 'plain_http',
        message: `upstream '${object.id}' reaches ${url.hostname} without encryption`,
      });
    return problemAt(project, at, {
      code: 'credential_in_clear',
      message: `upstream '${object.id}' sends the secret in '${header}' to ${url.hostname} without encryption`,
    });
  });

/** They speak of one connection, or of a body whose length only the sender knows. */
const ofTheConnection =
  /^(connection|content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/;
/** What the API line sends in place of anything of the same name. */
const ofTheGateway = /^(x-request-id|headgate-(consumer|revision)|x-forwarded-(for|host|proto))$/;

function headerProblem(name: string, value: unknown): Pick<Problem, 'code' | 'message'> | undefined {
  if (ofTheConnection.test(name))
    return { code: 'header_unsendable', message: `'${name}' belongs to the connection and cannot be set` };
  if (typeof value === 'string' && !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    return { code: 'header_unsendable', message: `'${name}' has a value that no header can carry` };
  if (ofTheGateway.test(name))
    return { code: 'header_overwritten', message: `'${name}' is always set by the gateway itself` };
  return undefined;
}

export const upstreamHeaders: Rule = (project) =>
  served<UpstreamSnapshot>(project, 'upstream').flatMap(({ object, value }) =>
    Object.entries(value.headers ?? {}).flatMap(([name, text]): Problem[] => {
      const problem = headerProblem(name, text);
      if (!problem) return [];
      const message = `upstream '${object.id}': ${problem.message}`;
      return problemAt(project, { object, path: ['headers', name] }, { code: problem.code, message });
    }),
  );

export const loops: Rule = (project) => {
  const hosts = new Map(
    served<RouteSnapshot>(project, 'route').flatMap(({ object, value: { host } }): [string, string][] =>
      host === undefined ? [] : [[host, object.id]],
    ),
  );
  if (hosts.size === 0) return [];
  const leadsTo = (url: unknown): string | undefined => {
    const host = parsed(url)?.hostname;
    return host === undefined || !hosts.has(host) ? undefined : `leads to ${host}, which route '${hosts.get(host)}'`;
  };
  const upstreams = served<UpstreamSnapshot>(project, 'upstream').map(({ object, value }) => ({
    object,
    path: ['url'],
    back: leadsTo(value.url),
  }));
  const providers = served<ProviderSnapshot>(project, 'provider').map(({ object, value: { options } }) => ({
    object,
    path: ['options', 'baseUrl'],
    back: leadsTo(isObject(options) ? options['baseUrl'] : undefined),
  }));
  return [...upstreams, ...providers].flatMap(({ object, path, back }): Problem[] => {
    if (back === undefined) return [];
    const message = `${object.sort} '${object.id}' ${back} of this gateway serves`;
    return problemAt(project, { object, path }, { code: 'upstream_loop', message });
  });
};
