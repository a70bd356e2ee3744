/** Teams and organisations: what is listed below them is theirs to give, and quotas say whose count they are. */
import type { ConsumerSnapshot, OrganisationSnapshot, TeamSnapshot } from '@headgate/runtime/snapshot';
import { levelsOfQuotas } from '../compile/inherited.ts';
import { handleIndex, isObject } from '../compile/places.ts';
import { served, servedModels, type Problem, type Rule } from './rule.ts';

const permissions = ['models', 'routes', 'prompts'] as const;

type Level = Pick<TeamSnapshot & OrganisationSnapshot, (typeof permissions)[number]>;

interface Above {
  readonly words: string;
  readonly level: Level;
}

/** Names in a list of a declaration, with their places in it. */
function namesIn(spec: unknown, key: string, idOf: (index: number) => string | undefined): [number, string][] {
  const list = isObject(spec) ? spec[key] : undefined;
  return (Array.isArray(list) ? list : []).flatMap((member: unknown, position): [number, string][] => {
    const name = idOf(handleIndex(member) ?? -1);
    return name === undefined ? [] : [[position, name]];
  });
}

/** An application that lists what its team does not, a team that lists what its organisation does not. */
export const permissionsAbove: Rule = (project) => {
  const { declarations } = project;
  const values = <Value>(sort: 'team' | 'organisation') =>
    new Map(served<Value>(project, sort).map(({ object, value }) => [object.id, value]));
  const teams = values<TeamSnapshot>('team');
  const organisations = values<OrganisationSnapshot>('organisation');
  const above = ({ team, organisation }: Pick<ConsumerSnapshot, 'team' | 'organisation'>): Above[] => {
    const [first, second] = [teams.get(team ?? ''), organisations.get(organisation ?? '')];
    return [
      ...(first ? [{ words: `team '${team}'`, level: first }] : []),
      ...(second ? [{ words: `organisation '${organisation}'`, level: second }] : []),
    ];
  };
  return (['consumer', 'team'] as const).flatMap((sort) =>
    served<ConsumerSnapshot>(project, sort).flatMap(({ object, value }) =>
      permissions.flatMap((key) =>
        namesIn(declarations[object.index]?.spec, key, (index) => declarations[index]?.id).flatMap(
          ([position, name]): Problem[] => {
            const refusing = above(value).find(({ level }) => level[key]?.includes(name) === false);
            if (!refusing) return [];
            const message = `${sort} '${object.id}' lists ${key.slice(0, -1)} '${name}', which ${refusing.words} may not use`;
            return [
              { code: 'permission_above_team', place: { declaration: object.index, path: [key, position] }, message },
            ];
          },
        ),
      ),
    ),
  );
};

/** A key for what its consumer may not use. */
export const permissionsOfKeys: Rule = (project) =>
  served<ConsumerSnapshot>(project, 'consumer').flatMap(({ object, value }) => {
    const { declarations } = project;
    const spec = declarations[object.index]?.spec;
    const keys = isObject(spec) && Array.isArray(spec['keys']) ? spec['keys'] : [];
    return keys.flatMap((key: unknown, at) =>
      permissions.flatMap((sort) =>
        namesIn(key, sort, (index) => declarations[index]?.id).flatMap(([position, name]): Problem[] => {
          if (value[sort]?.includes(name) !== false) return [];
          const message = `consumer '${object.id}': keys[${at}] lists ${sort.slice(0, -1)} '${name}', which the consumer may not use`;
          const place = { declaration: object.index, path: ['keys', at, sort, position] };
          return [{ code: 'permission_above_team', place, message }];
        }),
      ),
    );
  });

/** A model that is listed, under prompts that are listed without the one it has. */
export const withheldPrompts: Rule = (project) => {
  const { declarations } = project;
  return (['consumer', 'team', 'organisation'] as const).flatMap((sort) =>
    served<Level>(project, sort).flatMap(({ object, value: { prompts } }) =>
      prompts === undefined
        ? []
        : namesIn(declarations[object.index]?.spec, 'models', (index) => declarations[index]?.id).flatMap(
            ([position, name]): Problem[] => {
              const { prompt } = servedModels(project)[name] ?? {};
              if (!prompt || prompts.includes(prompt.name)) return [];
              const message = `${sort} '${object.id}' lists model '${name}', whose prompt '${prompt.name}' it may not use`;
              const place = { declaration: object.index, path: ['models', position] };
              return [{ code: 'prompt_withheld', place, message }];
            },
          ),
    ),
  );
};

/** Its team says where an application belongs. */
export const twoOrganisations: Rule = ({ objects, declarations }) =>
  objects.flatMap(({ sort, index, id }): Problem[] => {
    const spec = declarations[index]?.spec;
    if (sort !== 'consumer' || !isObject(spec) || spec['team'] === undefined || spec['organisation'] === undefined)
      return [];
    const message = `consumer '${id}' has a team and an organisation besides: its organisation is that of its team`;
    return [{ code: 'organisation_twice', place: { declaration: index, path: ['organisation'] }, message }];
  });

/** A count for each team is another limit than one for each application: where both are meant, somebody must say which. */
export const unclearScopes: Rule = ({ objects, declarations, published }) => {
  const own = objects
    .filter(({ index }) => published?.has(index))
    .map((object) => ({ ...object, value: listed(object.index) }));
  function listed(index: number): unknown {
    const spec = declarations[index]?.spec;
    return { quotas: namesIn(spec, 'quotas', (each) => declarations[each]?.id).map(([, name]) => name) };
  }
  const levels = levelsOfQuotas(own);
  return objects.flatMap(({ sort, index, id }): Problem[] => {
    const spec = declarations[index]?.spec;
    const found = [...(levels.get(id) ?? [])];
    if (sort !== 'quota' || !isObject(spec) || spec['scope'] !== undefined || found.length < 2) return [];
    const words = found.map((level) =>
      level === 'consumer' ? 'a consumer, model or route' : `${level === 'team' ? 'a' : 'an'} ${level}`,
    );
    const message = `quota '${id}' is listed by ${words.join(' and by ')}, and does not say whose count it is`;
    return [{ code: 'quota_scope_unclear', place: { declaration: index, path: [] }, message }];
  });
};
