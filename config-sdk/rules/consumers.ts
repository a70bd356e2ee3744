/** Consumers: keys are hashes, each belongs to one consumer, and somebody may use what is served. */
import { usableModels, type ConsumerSnapshot } from '@headgate/runtime/snapshot';
import { isObject } from '../compile/places.ts';
import { handlesIn } from '../compile/reach.ts';
import { limitsOf } from './quotas.ts';
import { ofSort, servedModels, type CompiledObject, type Problem, type Project, type Rule } from './rule.ts';

export const isPlaintextKey = (value: unknown): value is string =>
  typeof value === 'string' && !value.startsWith('sha256:');

const consumersOf = (project: Project): readonly CompiledObject[] => ofSort(project, 'consumer');
const hasTokens = ({ value }: CompiledObject): boolean =>
  isObject(value) && Array.isArray(value['jwt']) && value['jwt'].length > 0;
const certificatesOf = ({ value }: CompiledObject): unknown[] =>
  isObject(value) && Array.isArray(value['certificates']) ? value['certificates'] : [];
const keysOf = ({ value }: CompiledObject): unknown[] =>
  isObject(value) && Array.isArray(value['keys']) ? value['keys'] : [];

export const plaintextKeys: Rule = (project) =>
  consumersOf(project).flatMap((object) =>
    keysOf(object).flatMap((key, index): Problem[] => {
      const place = project.placeOf(object, ['keys', index]);
      if (!place || !isPlaintextKey(key)) return [];
      return [
        { code: 'plaintext_key', place, message: `consumer '${object.id}': keys[${index}] is not the hash of a key` },
      ];
    }),
  );

export const duplicateKeys: Rule = (project) => {
  const owners = new Map<string, string>();
  return consumersOf(project).flatMap((object) =>
    keysOf(object).flatMap((key, index): Problem[] => {
      if (typeof key !== 'string' || isPlaintextKey(key)) return [];
      const owner = owners.get(key);
      if (owner === undefined) {
        owners.set(key, object.id);
        return [];
      }
      const place = project.placeOf(object, ['keys', index]);
      const whose = owner === object.id ? 'stands here twice' : `also belongs to consumer '${owner}'`;
      return place
        ? [{ code: 'duplicate_key', place, message: `consumer '${object.id}': keys[${index}] ${whose}` }]
        : [];
    }),
  );
};

export const duplicateCertificates: Rule = (project) => {
  const owners = new Map<unknown, string>();
  return consumersOf(project).flatMap((object) =>
    certificatesOf(object).flatMap((name, index): Problem[] => {
      const owner = owners.get(name) ?? object.id;
      owners.set(name, owner);
      const place = owner === object.id ? undefined : project.placeOf(object, ['certificates', index]);
      const message = `consumer '${object.id}': certificates[${index}] also stands for consumer '${owner}'`;
      return place ? [{ code: 'duplicate_certificate', place, message }] : [];
    }),
  );
};

export const consumersWithoutKeys: Rule = (project) =>
  consumersOf(project)
    .filter(
      (object) =>
        object.sound &&
        project.published?.has(object.index) &&
        keysOf(object).length + certificatesOf(object).length === 0 &&
        !hasTokens(object),
    )
    .map((object) => ({
      code: 'consumer_without_keys',
      place: project.placeOf(object, ['keys']) ?? { declaration: object.index, path: [] },
      message: `consumer '${object.id}' has no keys and cannot call`,
    }));

export const modelsWithoutConsumers: Rule = (project) => {
  const { published, gateway } = project;
  if (!published || !gateway) return [];
  const served = consumersOf(project).filter(({ index }) => published.has(index));
  if (served.length === 0)
    return [
      {
        code: 'no_consumers',
        place: { ...gateway, path: ['consumers'] },
        message: 'nobody may call this gateway: it has no consumers',
      },
    ];
  if (served.some(({ sound }) => !sound)) return [];
  const lists = served.map(({ value }) => usableModels(value as ConsumerSnapshot, servedModels(project)));
  if (lists.includes(undefined)) return [];
  const allowed = new Set([
    ...lists.flatMap((list) => list ?? []),
    ...limitsOf(project).flatMap(({ value }) => value.downgrade?.to ?? []),
  ]);
  return ofSort(project, 'model')
    .filter(({ index, id }) => published.has(index) && !allowed.has(id))
    .map(({ index, id }) => ({
      code: 'model_without_consumer',
      place: { declaration: index, path: [] },
      message: `no consumer may use model '${id}'`,
    }));
};

export const unservedPermissions: Rule = (project) => {
  const { listed, published, declarations } = project;
  if (!listed || !published) return [];
  const callers = (['consumer', 'team', 'organisation'] as const).flatMap((sort) => ofSort(project, sort));
  return callers.flatMap(({ index, id, sort: caller }) =>
    handlesIn(declarations[index]?.spec).flatMap(({ index: target, path }): Problem[] => {
      const { sort, id: name } = declarations[target] ?? { sort: 'quota', id: '' };
      // A route among the models is another mistake than one that is not served.
      if (!['model', 'route', 'prompt'].includes(sort) || path.at(-2) !== `${sort}s`) return [];
      if ((sort === 'prompt' ? published : listed).has(target)) return [];
      const may = `${caller} '${id}' may use ${sort} '${name}'`;
      const said = { code: 'not_served' as const, place: { declaration: index, path } };
      return sort === 'prompt'
        ? [
            {
              ...said,
              message: `${may}, which no model has that is served`,
              hint: 'take it out here, or serve a model with it',
            },
          ]
        : [{ ...said, message: `${may}, which defineGateway does not list` }];
    }),
  );
};
