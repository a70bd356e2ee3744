/** Teams and organisations: what is listed below them is theirs to give, and quotas say whose count they are. */
import type { ConsumerSnapshot, OrganisationSnapshot, TeamSnapshot } from '@headgate/runtime/snapshot';
import { levelsOfQuotas } from '../compile/inherited.ts';
import { handleIndex, isObject } from '../compile/places.ts';
import { ofSort, served, servedModels, writtenIn, type Problem, type Rule } from './rule.ts';

const permissions = ['models', 'routes', 'prompts'] as const;

type Level = Pick<TeamSnapshot & OrganisationSnapshot, (typeof permissions)[number]>;

interface Above {
  readonly words: string;
  readonly level: Level;
}

type Written = Pick<ReturnType<typeof writtenIn>, 'spec' | 'nameOf'>;

/** Names in a list of a declaration, with their places in it. */
function namesIn({ spec, nameOf }: Written, key: string): [number, string][] {
  const list = isObject(spec) ? spec[key] : undefined;
  return (Array.isArray(list) ? list : []).flatMap((member: unknown, position): [number, string][] => {
    const name = nameOf(handleIndex(member) ?? -1);
    return name === undefined ? [] : [[position, name]];
  });
}

/** An application that lists what its team does not, a team that lists what its organisation does not. */
export const permissionsAbove: Rule = (project) => {
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
        namesIn(writtenIn(project, object), key).flatMap(([position, name]): Problem[] => {
          const refusing = above(value).find(({ level }) => level[key]?.includes(name) === false);
          if (!refusing) return [];
          const message = `${sort} '${object.id}' lists ${key.slice(0, -1)} '${name}', which ${refusing.words} may not use`;
          const place = { declaration: object.index, path: [key, position] };
          return [{ code: 'permission_above_team', place, message }];
        }),
      ),
    ),
  );
};

/** A key for what its consumer may not use. */
export const permissionsOfKeys: Rule = (project) =>
  served<ConsumerSnapshot>(project, 'consumer').flatMap(({ object, value }) => {
    const { spec, nameOf } = writtenIn(project, object);
    const listed = isObject(spec) ? spec['keys'] : undefined;
    const keys: readonly Written['spec'][] = Array.isArray(listed) ? listed : [];
    return keys.flatMap((key, at) =>
      permissions.flatMap((sort) =>
        namesIn({ spec: key, nameOf }, sort).flatMap(([position, name]): Problem[] => {
          if (value[sort]?.includes(name) !== false) return [];
          const message = `consumer '${object.id}': keys[${at}] lists ${sort.slice(0, -1)} '${name}', which the consumer may not use`;
          const place = { declaration: object.index, path: ['keys', at, sort, position] };
          return [{ code: 'permission_above_team', place, message }];
        }),
      ),
    );
  });

/** A model that is listed, under prompts that are listed without the one it has. */
export const withheldPrompts: Rule = (project) =>
  (['consumer', 'team', 'organisation'] as const).flatMap((sort) =>
    served<Level>(project, sort).flatMap(({ object, value: { prompts } }) =>
      prompts === undefined
        ? []
        : namesIn(writtenIn(project, object), 'models').flatMap(([position, name]): Problem[] => {
            const { prompt } = servedModels(project)[name] ?? {};
            if (!prompt || prompts.includes(prompt.name)) return [];
            const message = `${sort} '${object.id}' lists model '${name}', whose prompt '${prompt.name}' it may not use`;
            const place = { declaration: object.index, path: ['models', position] };
            return [{ code: 'prompt_withheld', place, message }];
          }),
    ),
  );

/** Its team says where an application belongs. */
export const twoOrganisations: Rule = (project) =>
  ofSort(project, 'consumer').flatMap((object): Problem[] => {
    const { spec } = writtenIn(project, object);
    if (!isObject(spec) || spec['team'] === undefined || spec['organisation'] === undefined) return [];
    const message = `consumer '${object.id}' has a team and an organisation besides: its organisation is that of its team`;
    return [{ code: 'organisation_twice', place: { declaration: object.index, path: ['organisation'] }, message }];
  });

/** A count for each team is another limit than one for each application: where both are meant, somebody must say which. */
export const unclearScopes: Rule = (project) => {
  const above = [...ofSort(project, 'team'), ...ofSort(project, 'organisation')];
  // Otherwise all lists are of one level.
  if (above.length === 0) return [];
  const own = [...above, ...(['consumer', 'model', 'route'] as const).flatMap((sort) => ofSort(project, sort))]
    .filter(({ index }) => project.published?.has(index))
    .toSorted((one, other) => one.index - other.index)
    .map((object) => ({
      ...object,
      value: { quotas: namesIn(writtenIn(project, object), 'quotas').map(([, name]) => name) },
    }));
  const levels = levelsOfQuotas(own);
  return ofSort(project, 'quota').flatMap((object): Problem[] => {
    const { spec } = writtenIn(project, object);
    const found = [...(levels.get(object.id) ?? [])];
    if (!isObject(spec) || spec['scope'] !== undefined || found.length < 2) return [];
    const words = found.map((level) =>
      level === 'consumer' ? 'a consumer, model or route' : `${level === 'team' ? 'a' : 'an'} ${level}`,
    );
    const message = `quota '${object.id}' is listed by ${words.join(' and by ')}, and does not say whose count it is`;
    return [{ code: 'quota_scope_unclear', place: { declaration: object.index, path: [] }, message }];
  });
};
