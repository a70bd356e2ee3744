/** One request in readable steps: what was decided, in order, each with the object of the configuration that decided it. */
import { droppedInWords, type Drawn, type Outcome } from './outcome.ts';
import { amountInWords, figure, windowInWords } from './quota/words.ts';

export interface Step {
  /** One word: `surface`, `consumer`, `model`, `route`, `access`, `prompt`, `targets`, `policy`, `context`, `quota`, `attempt`, `refused` and so on. */
  readonly stage: string;
  readonly said: string;
  /** `collection.name`. */
  readonly object?: string;
  /** `file:line:column` of that object. */
  readonly at?: string;
}

/** What is known of a request, live or not. */
export interface Facts {
  readonly method: string;
  readonly path: string;
  /** Name of the surface, for model calls. */
  readonly surface: string | undefined;
  readonly outcome: Outcome;
  readonly status: number | undefined;
  /** Only where nothing is kept: it may quote the request. */
  readonly message?: string | undefined;
}

type SourceOf = (object: string) => string | undefined;
type Said = readonly [stage: string, said: string, object?: string];

/** `model:chat` as `['models', 'chat']`. */
export function matchedObject({ matched }: Outcome): readonly [sort: 'model' | 'route', name: string] | undefined {
  const end = matched.indexOf(':');
  const sort = matched.slice(0, Math.max(end, 0));
  return sort === 'model' || sort === 'route' ? [sort, matched.slice(end + 1)] : undefined;
}

export const providerOf = (label: string): string => label.slice(0, label.indexOf('/'));

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
] as const;

/** As a configuration writes it. */
function lengthInWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const unit = units.find(([, length]) => seconds >= length && seconds % length === 0);
  return unit ? `${seconds / unit[1]}${unit[0]}` : `${seconds}s`;
}

const endOfWindow = ({ window, resetMs = 0 }: Drawn): string =>
  window.kind === 'none'
    ? ''
    : `; ${window.kind === 'sliding' ? 'some is free again' : 'the window ends'} in ${lengthInWords(resetMs)}`;

function quotaInWords(drawn: Drawn): string {
  const { unit, whose, limit, window, amount, used, granted, soft, downgrade } = drawn;
  const rate = `${amountInWords(unit, limit)}${windowInWords(window, lengthInWords)} of ${whose}`;
  const takes = unit === 'requests' || unit === 'concurrency' ? '' : `holds ${amountInWords(unit, amount)}, `;
  if (used === undefined)
    return granted || amount <= limit ? `${rate}: the store does not answer` : `${takes}more than all ${rate}`;
  const ends = endOfWindow(drawn);
  if (!granted)
    return takes ? `${takes}with ${figure(unit, used)} of ${rate} used or held${ends}` : `all ${rate} are used${ends}`;
  const beyond =
    (soft ? ', and only warns' : '') +
    (downgrade ? `; from ${Number((downgrade.at * 100).toFixed(6))} % on, calls go to model ${downgrade.to}` : '');
  return takes
    ? `${takes}now ${figure(unit, used)} of ${rate}${beyond}${ends}`
    : `number ${used} of ${rate}${beyond}${ends}`;
}

function placeInWords({ method, path, surface, outcome }: Facts): Said {
  const asked = `${method} ${path}`;
  if (outcome.matched === 'models') return ['surface', `${asked} lists models (${surface ?? ''})`];
  if (/^files\b/.test(outcome.matched)) return ['surface', `${asked} is about files or batches (${surface ?? ''})`];
  if (surface !== undefined) return ['surface', `${asked} is a model call (${surface})`];
  return ['surface', outcome.matched === 'none' ? `${asked} is not served` : `${asked} is a route`];
}

function* accessOf({ outcome }: Facts): Generator<Said> {
  const { consumer, code } = outcome;
  const matched = matchedObject(outcome);
  if (consumer !== undefined) yield ['consumer', consumer, `consumers.${consumer}`];
  if (!matched) return;
  const [sort, name] = matched;
  yield [sort, name, `${sort}s.${name}`];
  const isWithheld = code === `${sort}_not_allowed` || code === 'prompt_not_allowed';
  if (consumer !== undefined && !isWithheld)
    yield ['access', `${consumer} may use ${sort} ${name}`, `consumers.${consumer}`];
}

function* decisionsOf({ outcome }: Facts): Generator<Said> {
  const { order, unable, crowded, downgraded, prompt, passed, confinedBy, fit, shortened, drawn } = outcome;
  for (const { quota, to } of downgraded)
    yield ['downgrade', `${quota}: so much of it is used that ${to} serves`, `quotas.${quota}`];
  for (const { target, fields } of unable)
    yield ['passed', `${target}: cannot carry ${fields.join(', ')}`, `providers.${providerOf(target)}`];
  for (const { target, quota, isAway } of crowded) {
    const why = isAway ? `the store of quota ${quota} does not answer` : `quota ${quota} has no room for its provider`;
    yield ['passed', `${target}: ${why}`, `quotas.${quota}`];
  }
  for (const [index, label] of order.entries())
    yield [index === 0 ? 'target' : 'fallback', label, `providers.${providerOf(label)}`];
  if (prompt !== undefined) yield ['prompt', prompt, `prompts.${prompt}`];
  for (const name of passed) {
    const said = confinedBy.includes(name) ? 'keeps it to providers with its tags' : 'lets it pass';
    yield ['policy', `${name} ${said}`, `policies.${name}`];
  }
  if (fit) {
    const kept = `${fit.policy}: keeps ${fit.kept} of ${fit.messages} messages, about ${fit.tokens} tokens`;
    yield ['context', kept, `contextPolicies.${fit.policy}`];
  }
  for (const { target, kept, tokens } of shortened) {
    const said = `${target} finds that too long: keeps ${kept} of ${fit?.messages ?? 0} messages, about ${tokens} tokens`;
    yield ['context', said, `providers.${providerOf(target)}`];
  }
  for (const each of drawn) yield ['quota', `${each.quota}: ${quotaInWords(each)}`, `quotas.${each.quota}`];
}

function* endOf({ outcome, status, message }: Facts): Generator<Said> {
  const { tried, spentBefore, code, endedBy, boundKey } = outcome;
  const matched = matchedObject(outcome);
  for (const [index, { target, ended, begun }] of tried.entries()) {
    const object = matched?.[0] === 'route' ? `upstreams.${target}` : `providers.${providerOf(target)}`;
    const words = begun ? `${ended}, after its answer had begun` : ended;
    yield ['attempt', `${index + 1}. ${target}: ${words}`, object];
  }
  for (const { target, usage, estimated } of spentBefore) {
    const { inputTokens, outputTokens } = usage;
    const words = `${target}: ${inputTokens} tokens in and ${outputTokens} out${estimated ? ', as estimated,' : ''} for nothing`;
    yield ['spent', words, `providers.${providerOf(target)}`];
  }
  const dropped = droppedInWords(outcome);
  if (dropped !== undefined) yield ['dropped', `cannot be carried: ${dropped}`];
  if (code === undefined) return;
  const object = endedBy ?? (matched && `${matched[0]}s.${matched[1]}`);
  const why =
    message ?? (boundKey === undefined ? undefined : `key sha256:${boundKey}… opens less than its consumer may`);
  const words = `${code}${status === undefined ? '' : ` (${status})`}${why === undefined ? '' : `: ${why}`}`;
  yield object === undefined ? ['refused', words] : ['refused', words, object];
}

export function stepsOf(facts: Facts, sourceOf: SourceOf): readonly Step[] {
  const said = [placeInWords(facts), ...accessOf(facts), ...decisionsOf(facts), ...endOf(facts)];
  return said.map(([stage, words, object]): Step => {
    const at = object === undefined ? undefined : sourceOf(object);
    return { stage, said: words, ...(object !== undefined && { object }), ...(at !== undefined && { at }) };
  });
}
