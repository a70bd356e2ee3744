/** The gateway as a whole, and whatever no other part of a plan speaks of: nothing that changes goes unsaid. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { joined, say, type Change } from './change.ts';
import { durationInWords } from './duration-words.ts';
import { percent } from './legs.ts';
import { losesEntries, optionChanges, optionInWords } from './option-changes.ts';
import { paired, type Sides } from './revision.ts';
import type { SafeguardSides } from './safeguards.ts';

/** Properties that other parts of a plan have words for. */
const told: Readonly<Record<string, readonly string[]>> = {
  providers: ['kind', 'options', 'models', 'files'],
  models: ['targets', 'deadline', 'hedge', 'strict', 'prompt', 'context', 'policies', 'quotas'],
  prompts: ['system', 'user', 'choices', 'fixtures'],
  contextPolicies: ['kind', 'options'],
  policies: ['kind', 'options'],
  quotas: [
    'unit',
    'limit',
    'window',
    'scope',
    'endUserHeader',
    'downgrade',
    'was',
    'slack',
    'warnAt',
    'mode',
    'onStoreDown',
  ],
  consumers: [
    'keys',
    'keyTerms',
    'certificates',
    'jwt',
    'team',
    'organisation',
    'addresses',
    'models',
    'routes',
    'prompts',
    'files',
    'quotas',
  ],
  issuers: ['url', 'audience', 'jwks', 'algorithms', 'clockSkew', 'consumerClaim'],
  teams: ['organisation', 'models', 'routes', 'prompts', 'quotas', 'tags'],
  organisations: ['models', 'routes', 'prompts', 'quotas', 'tags'],
  upstreams: ['url', 'headers', 'timeout'],
  routes: ['path', 'methods', 'host', 'upstream', 'stripPrefix', 'retries', 'maxBodyBytes', 'quotas'],
};

const without = (value: object, names: readonly string[]): object =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

const unseen = say`invariants that speak of such a tag no longer see it here`;

function untold({ base, head }: Sides, safeguards: SafeguardSides): Change[] {
  const isPromised = [safeguards.base, safeguards.head].some(({ invariants }) => Object.keys(invariants).length > 0);
  return Object.entries(told).flatMap(([collection, names]) => {
    const of = (snapshot: object): Readonly<Record<string, object>> =>
      (snapshot as Readonly<Record<string, Readonly<Record<string, object>>>>)[collection] ?? {};
    return paired(of(base), of(head)).kept.flatMap(({ name, before, after }): Change[] => {
      const found = optionChanges(without(before, names), without(after, names));
      if (found.length === 0) return [];
      const sentence = say`${`${collection}.${name}`}: ${joined(found.map(optionInWords), '; ')}`;
      const object = `${collection}.${name}`;
      if (isPromised && found.some((each) => each.path[0] === 'tags' && losesEntries(each)))
        return [{ kind: 'guard_changed', risk: 'medium', object, sentence, details: [unseen] }];
      return [{ kind: 'other_changed', risk: 'low', object, sentence, details: [] }];
    });
  });
}

export function gatewayChanges(sides: Sides, safeguards: SafeguardSides): Change[] {
  const { base, head } = sides;
  const changes: Change[] = [];
  if (base.name !== head.name)
    changes.push({
      kind: 'gateway_changed',
      risk: 'high',
      object: 'gateway',
      sentence: say`the gateway is called ${head.name} instead of ${base.name}`,
      details: [say`runtimes that expect the old name refuse this revision`],
    });
  if (base.allowShrink !== head.allowShrink)
    changes.push({
      kind: 'gateway_changed',
      risk: head.allowShrink === undefined ? 'info' : 'high',
      object: 'gateway',
      sentence:
        head.allowShrink === undefined
          ? say`${'allowShrink'} is taken out again`
          : say`${'allowShrink'} lets this revision take most of what is served away`,
      details: head.allowShrink === undefined ? [] : [say`the reason given: ${head.allowShrink}`],
    });
  const [staged, stagedNow] = [stagesInWords(base), stagesInWords(head)];
  if (staged !== stagedNow)
    changes.push({
      kind: 'other_changed',
      risk: 'low',
      object: 'gateway',
      sentence: say`the gateway: a revision reaches ${[staged]} → ${[stagedNow]}`,
      details: [],
    });
  const others = optionChanges(...([base, head].map((side) => rest(side)) as [object, object]));
  return [
    ...changes,
    ...others.map((each): Change => ({
      kind: 'other_changed',
      risk: 'low',
      object: 'gateway',
      sentence: say`the gateway: ${optionInWords(each)}`,
      details: [],
    })),
    ...untold(sides, safeguards),
  ];
}

function stagesInWords({ rollout }: Snapshot): string {
  const stages = (rollout?.stages ?? []).map(
    ({ share, for: length }) => `${percent(share)} of consumers for ${durationInWords(length)}`,
  );
  return [...stages, 'everyone'].join(', then ');
}

const rest = (snapshot: object): object =>
  without(snapshot, ['format', 'name', 'allowShrink', 'rollout', 'sources', ...Object.keys(told)]);
