/** Keys of consumers: nobody can guess them, somebody has them, and old ones are withdrawn. */
import { usableModels, type ConsumerSnapshot, type RouteSnapshot } from '@headgate/runtime/snapshot';
import { hashKey } from '../keys.ts';
import { allSound, problemAt, served, servedModels, type Problem, type Rule } from './rule.ts';

/** What is typed when a key is wanted quickly, and what examples in manuals use. */
const guessable = new Map(
  (
    ' 0 1 123 1234 12345 123456 12345678 123456789 1234567890 abc abc123 admin api-key apikey changeme default demo dev ' +
    'dummy example foo headgate hg_ hg_dev hg_test hunter2 key letmein local none null pass password qwerty root secret ' +
    'sk-1234 sk-test sk-xxx test test-key testing token undefined user'
  )
    .split(' ')
    .map((key) => [hashKey(key), key]),
);

/** Digests that fingers make: one character, or a short run of them over and over. */
const madeUp = /^sha256:(.{1,16})\1+$/;

/** Two allow rotation. */
const mostKeys = 2;

export const keyHashes: Rule = (project) =>
  served<ConsumerSnapshot>(project, 'consumer').flatMap(({ object, value: { keys } }) =>
    keys.flatMap((hash, index): Problem[] => {
      const at = { object, path: ['keys', index] };
      const said = `consumer '${object.id}': keys[${index}]`;
      const weak = guessable.get(hash);
      if (weak !== undefined)
        return problemAt(project, at, {
          code: 'weak_key',
          message: `${said} is the hash of ${weak === '' ? 'an empty text' : 'a key that is tried first'}`,
        });
      if (madeUp.test(hash))
        return problemAt(project, at, { code: 'placeholder_key', message: `${said} is the hash of no key` });
      return [];
    }),
  );

export const keyCounts: Rule = (project) =>
  served<ConsumerSnapshot>(project, 'consumer').flatMap(({ object, value: { keys } }): Problem[] => {
    if (keys.length <= mostKeys) return [];
    const message = `consumer '${object.id}' has ${keys.length} keys`;
    return problemAt(project, { object, path: ['keys'] }, { code: 'keys_pile_up', message });
  });

export const powerlessConsumers: Rule = (project) => {
  const models = served(project, 'model').length;
  const routes = served(project, 'route').length;
  return served<ConsumerSnapshot>(project, 'consumer').flatMap(({ object, value }): Problem[] => {
    const may = (usableModels(value, servedModels(project))?.length ?? models) + (value.routes?.length ?? routes);
    if (may > 0 || value.files !== undefined || models + routes === 0 || value.keys.length === 0) return [];
    const path = [value.models ? 'models' : value.prompts ? 'prompts' : 'routes'];
    const message = `consumer '${object.id}' may use neither a model nor a route`;
    return problemAt(project, { object, path }, { code: 'consumer_may_nothing', message });
  });
};

export const routesWithoutConsumers: Rule = (project) => {
  const consumers = served<ConsumerSnapshot>(project, 'consumer');
  if (
    consumers.length === 0 ||
    !allSound(project, 'consumer') ||
    consumers.some(({ value }) => value.routes === undefined)
  )
    return [];
  const allowed = new Set(consumers.flatMap(({ value }) => value.routes ?? []));
  return served<RouteSnapshot>(project, 'route')
    .filter(({ object }) => !allowed.has(object.id))
    .flatMap(({ object }) =>
      problemAt(
        project,
        { object, path: [] },
        { code: 'route_without_consumer', message: `no consumer may use route '${object.id}'` },
      ),
    );
};
