/** Names of secrets: who is sent which, and names that mean something else. */
import type { ProviderSnapshot, UpstreamSnapshot } from '@headgate/runtime/snapshot';
import { isObject, type Path } from '../compile/places.ts';
import { problemAt, served, type CompiledObject, type Problem, type Project, type Rule } from './rule.ts';

interface Use {
  readonly object: CompiledObject;
  readonly path: Path;
  readonly name: string;
  readonly optional: boolean;
  /** Host that it is sent to; the kind of a provider where that decides. */
  readonly host: string;
}

function* secretsIn(value: unknown, path: Path = []): Generator<{ path: Path; name: string; optional: boolean }> {
  if (Array.isArray(value)) for (const [index, member] of value.entries()) yield* secretsIn(member, [...path, index]);
  if (!isObject(value)) return;
  if (typeof value['$secret'] === 'string')
    yield { path, name: value['$secret'], optional: value['optional'] === true };
  else for (const [key, member] of Object.entries(value)) yield* secretsIn(member, [...path, key]);
}

const hostOf = (url: unknown): string | undefined =>
  typeof url === 'string' && URL.canParse(url) ? new URL(url).hostname : undefined;

function usesIn(project: Project): Use[] {
  const providers = served<ProviderSnapshot>(project, 'provider').map(({ object, value: { kind, options } }) => ({
    object,
    host: hostOf(isObject(options) ? options['baseUrl'] : undefined) ?? `the vendor of kind '${kind}'`,
  }));
  const upstreams = served<UpstreamSnapshot>(project, 'upstream').map(({ object, value }) => ({
    object,
    host: hostOf(value.url) ?? '',
  }));
  return [...providers, ...upstreams].flatMap(({ object, host }) =>
    [...secretsIn(object.value)].map((each) => ({ ...each, object, host })),
  );
}

const subjectOf = ({ object }: Use): string => `${object.sort} '${object.id}'`;

export const sharedSecrets: Rule = (project) => {
  const first = new Map<string, Use>();
  // What seals ids stays here.
  const sent = usesIn(project).filter(({ path }) => path[0] !== 'files');
  return sent.flatMap((use): Problem[] => {
    const other = first.get(use.name);
    if (!other) first.set(use.name, use);
    if (!other || other.host === use.host) return [];
    const message = `${subjectOf(use)} sends secret '${use.name}' to ${use.host}, and ${subjectOf(other)} sends it to ${other.host}`;
    return problemAt(project, use, { code: 'secret_sent_to_two_hosts', message });
  });
};

export const optionalSecrets: Rule = (project) => {
  const uses = usesIn(project);
  const required = new Map(uses.filter(({ optional }) => !optional).map((use) => [use.name, use]));
  return uses.flatMap((use): Problem[] => {
    const other = required.get(use.name);
    if (!use.optional || !other) return [];
    const message = `${subjectOf(use)} can do without secret '${use.name}', but ${subjectOf(other)} cannot`;
    return problemAt(project, use, { code: 'secret_optional_conflict', message });
  });
};

export const secretNames: Rule = (project) =>
  usesIn(project).flatMap((use): Problem[] => {
    const said = `${subjectOf(use)} takes its secret from '${use.name}'`;
    if (use.name.startsWith('HEADGATE_'))
      return problemAt(project, use, {
        code: 'secret_of_gateway',
        message: `${said}, a setting of the gateway itself`,
      });
    if (use.name.endsWith('_FILE'))
      return problemAt(project, use, {
        code: 'secret_file_name',
        message: `${said}, whose value would be a path and not a credential`,
      });
    return [];
  });
