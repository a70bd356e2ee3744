/** Models that stay: which targets they gain and lose, how requests are shared among them, and in which order they are tried. */
import { canonicalJson } from '@headgate/runtime/canonical-json';
import { balancerKinds, type ModelSnapshot, type TargetNode } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Change, type Phrase } from './change.ts';
import { comparison, makesOtherVectors } from './comparison.ts';
import { hostOf, whereInWords } from './destination.ts';
import { durationInWords } from './duration-words.ts';
import { mainLeg, mergedLegs, percent, roleInWords, treeInWords, type Leg } from './legs.ts';
import { paired, type Pair, type Sides } from './revision.ts';

type Legs = ReadonlyMap<string, Leg>;

const epsilon = 1e-9;
const sameShare = (a: Leg, b: Leg): boolean => Math.abs(a.share - b.share) < epsilon;

interface Moved {
  readonly name: string;
  readonly before: Legs;
  readonly after: Legs;
  readonly sides: Sides;
}

const without = (legs: Legs, others: Legs): Leg[] => [...legs.values()].filter(({ label }) => !others.has(label));

function isNewHost({ before, sides }: Moved, leg: Leg): boolean {
  const host = hostOf(sides.head, leg.provider);
  return host !== '' && ![...before.values()].some((each) => hostOf(sides.base, each.provider) === host);
}

function switched(moved: Moved, old: Leg, now: Leg): Change {
  const role = sameShare(old, now) ? roleInWords(now) : `${roleInWords(old)}, then ${roleInWords(now)}`;
  return {
    kind: 'targets_changed',
    risk: isNewHost(moved, now) || makesOtherVectors(moved.sides, old, now) ? 'high' : 'medium',
    object: `models.${moved.name}`,
    sentence: say`model ${moved.name} switches from ${old.label} to ${now.label} (${[role]})`,
    details: comparison(moved.sides, old, now),
  };
}

function gained(moved: Moved, leg: Leg): Change {
  const { name, after, sides } = moved;
  const labels = [...after.keys()];
  const earlier = labels[labels.indexOf(leg.label) - 1];
  const what = leg.share === 0 ? say`fallback ${leg.label}` : say`target ${leg.label} (${[roleInWords(leg)]})`;
  const details: Phrase[] = [];
  if (isNewHost(moved, leg))
    details.push(say`prompts of this model may now reach ${whereInWords(sides.head, leg.provider)}`);
  if (leg.share === 0 && earlier !== undefined) details.push(say`tried after ${earlier}`);
  return {
    kind: 'targets_changed',
    risk: isNewHost(moved, leg) ? 'high' : 'medium',
    object: `models.${name}`,
    sentence: say`model ${name} gains ${what}`,
    details,
  };
}

function lost({ name, after }: Moved, leg: Leg): Change {
  return {
    kind: 'targets_changed',
    risk: 'medium',
    object: `models.${name}`,
    sentence: say`model ${name} loses ${leg.label} (${[roleInWords(leg)]})`,
    details: after.size === 1 ? [say`only ${listed([...after.keys()])} is left: nothing to fall back to`] : [],
  };
}

/** Comings and goings; one that goes where one comes is a switch. */
function membership(moved: Moved): Change[] {
  const [gone, come] = [without(moved.before, moved.after), without(moved.after, moved.before)];
  const [old, now] = [gone[0], come[0]];
  if (gone.length === 1 && come.length === 1 && old && now && (sameShare(old, now) || moved.after.size === 1))
    return [switched(moved, old, now)];
  return [...come.map((leg) => gained(moved, leg)), ...gone.map((leg) => lost(moved, leg))];
}

/** What it means that most requests begin at another target than before. */
function firstInstead({ before, after }: Pair<ModelSnapshot>, sides: Sides): Phrase[] {
  const [old, now] = [mainLeg(before.targets, sides.base), mainLeg(after.targets, sides.head)];
  if (!old || !now || old.label === now.label) return [];
  return [say`most requests go to ${now.label} first instead of ${old.label}`, ...comparison(sides, old, now)];
}

function arrangement(moved: Moved, pair: Pair<ModelSnapshot>): Change[] {
  const { name, before, after } = moved;
  const object = `models.${name}`;
  const kept = [...after.values()].flatMap((leg): [Leg, Leg][] => {
    const old = before.get(leg.label);
    return old ? [[old, leg]] : [];
  });
  const shifted = kept.filter(([old, now]) => !sameShare(old, now));
  if (shifted.length > 0) {
    const parts = shifted.map(([old, now]) => say`${now.label} ${[percent(old.share)]} → ${[percent(now.share)]}`);
    const sentence = say`model ${name}, share of first choices: ${joined(parts, ', ')}`;
    return [{ kind: 'weights_changed', risk: 'medium', object, sentence, details: firstInstead(pair, moved.sides) }];
  }
  const order = (legs: Legs, others: Legs): string[] => [...legs.keys()].filter((label) => others.has(label));
  const [old, now] = [order(before, after), order(after, before)];
  if (old.join('\n') !== now.join('\n')) {
    const sentence = say`model ${name}: fallbacks are tried in another order`;
    const details = [
      say`${joined(
        old.map((label) => say`${label}`),
        ', ',
      )} → ${joined(
        now.map((label) => say`${label}`),
        ', ',
      )}`,
    ];
    return [{ kind: 'targets_changed', risk: 'medium', object, sentence, details }];
  }
  if (before.size !== kept.length || after.size !== kept.length) return [];
  const [tree, other] = [treeInWords(pair.before.targets), treeInWords(pair.after.targets)];
  if (canonicalJson(tree) === canonicalJson(other)) return [];
  if (conditionsIn(pair.before.targets) !== conditionsIn(pair.after.targets)) return [];
  if (choosing(pair).length > 0) return [];
  const sentence = say`model ${name}: targets are arranged otherwise, with the same shares of first choices`;
  return [{ kind: 'targets_changed', risk: 'low', object, sentence, details: [say`${tree} → ${other}`] }];
}

type Group = Extract<TargetNode, { kind: 'group' }>;

/** Whether members are chosen or left out by what is asked, and not by shares. */
function isConditional({ balance }: Group): boolean {
  const balancer = balancerKinds[balance];
  return balancer?.picksOne === true || balancer?.narrowings !== undefined;
}

function conditionsIn(node: TargetNode): string {
  if (node.kind === 'target') return '';
  const own = isConditional(node) ? canonicalJson([node.balance, node.options ?? null]) : '';
  return [own, ...node.of.map((member) => conditionsIn(member.node))].filter((each) => each !== '').join('\n');
}

/** How members are chosen, without those that a condition chooses or leaves out and those that are tried in order. */
function balancesIn(node: TargetNode): string[] {
  if (node.kind === 'target') return [];
  const own = node.balance === 'ordered' || isConditional(node) ? [] : [balanceInWords(node)];
  return [...own, ...node.of.flatMap((member) => balancesIn(member.node))];
}

const balanceInWords = ({ balance, options }: Group): string =>
  options === undefined ? balance : `${balance} ${canonicalJson(options)}`;

/** Whether a user stays at one target, or the quickest is asked: shares do not tell. */
function choosing({ name, before, after }: Pair<ModelSnapshot>): Change[] {
  const [old, now] = [balancesIn(before.targets), balancesIn(after.targets)];
  if (old.length + now.length === 0 || old.join('\n') === now.join('\n')) return [];
  const inWords = (balances: readonly string[]): Phrase => (balances.length === 0 ? ['their order'] : listed(balances));
  const sentence = say`model ${name} chooses its targets by ${inWords(now)} instead of ${inWords(old)}`;
  const details = [say`${treeInWords(before.targets)} → ${treeInWords(after.targets)}`];
  return [{ kind: 'targets_changed', risk: 'medium', object: `models.${name}`, sentence, details }];
}

/** Who may come where: no share of first choices tells that. */
function conditions({ name, before, after }: Pair<ModelSnapshot>): Change[] {
  if (conditionsIn(before.targets) === conditionsIn(after.targets)) return [];
  const sentence = say`model ${name}: the conditions by which its targets are chosen change`;
  const details = [say`${treeInWords(before.targets)} → ${treeInWords(after.targets)}`];
  return [{ kind: 'targets_changed', risk: 'medium', object: `models.${name}`, sentence, details }];
}

const lengthInWords = ({ firstTokenTimeout: ms }: Leg): Phrase => [ms === undefined ? 'any time' : durationInWords(ms)];

const countInWords = ({ maxConcurrency }: Leg): Phrase =>
  maxConcurrency === undefined ? ['any'] : say`${maxConcurrency}`;

/** The time that all attempts share, and when two are made at once. */
function timeChanges({ name, before, after }: Pair<ModelSnapshot>): Change[] {
  const words = (ms: number | undefined): Phrase => [ms === undefined ? 'never' : durationInWords(ms)];
  const parts: Phrase[] = [];
  if (before.deadline !== after.deadline)
    parts.push(say`deadline ${words(before.deadline)} → ${words(after.deadline)}`);
  if (before.hedge !== after.hedge)
    parts.push(say`next target asked beside the first after ${words(before.hedge)} → ${words(after.hedge)}`);
  if (parts.length === 0) return [];
  const sentence = say`model ${name}: ${joined(parts, ', ')}`;
  return [{ kind: 'delivery_changed', risk: 'low', object: `models.${name}`, sentence, details: [] }];
}

/** Whether requests that are translated may lose fields, or are refused. */
function strictness({ name, before, after }: Pair<ModelSnapshot>): Change[] {
  const [was, is] = [before.strict === true, after.strict === true];
  if (was === is) return [];
  const object = `models.${name}`;
  const sentence = is
    ? say`model ${name} becomes strict: what a target cannot carry is refused, where it was left out`
    : say`model ${name} is strict no longer: what a target cannot carry is left out, where it was refused`;
  return [{ kind: 'delivery_changed', risk: 'medium', object, sentence, details: [] }];
}

function delivery({ name, before, after }: Moved): Change[] {
  return [...after.values()].flatMap((leg): Change[] => {
    const old = before.get(leg.label);
    const parts: Phrase[] = [];
    if (old && old.timeout !== leg.timeout)
      parts.push(say`timeout ${[durationInWords(old.timeout)]} → ${[durationInWords(leg.timeout)]}`);
    if (old && old.firstTokenTimeout !== leg.firstTokenTimeout)
      parts.push(say`first token within ${lengthInWords(old)} → ${lengthInWords(leg)}`);
    if (old && old.retries !== leg.retries) parts.push(say`retries ${old.retries} → ${leg.retries}`);
    if (old && old.maxConcurrency !== leg.maxConcurrency)
      parts.push(say`requests at once ${countInWords(old)} → ${countInWords(leg)}`);
    if (parts.length === 0) return [];
    const sentence = say`model ${name}, target ${leg.label}: ${joined(parts, ', ')}`;
    return [{ kind: 'delivery_changed', risk: 'low', object: `models.${name}`, sentence, details: [] }];
  });
}

export function targetChanges(sides: Sides): Change[] {
  return paired(sides.base.models, sides.head.models).kept.flatMap((pair) => {
    const changes = [...timeChanges(pair), ...strictness(pair)];
    // Without a word about its targets, prices may move what is first.
    const isSame = canonicalJson(pair.before.targets) === canonicalJson(pair.after.targets);
    if (isSame && pair.after.targets.kind === 'target') return changes;
    const [before, after] = [mergedLegs(pair.before.targets, sides.base), mergedLegs(pair.after.targets, sides.head)];
    const moved: Moved = { name: pair.name, before, after, sides };
    return [
      ...membership(moved),
      ...choosing(pair),
      ...conditions(pair),
      ...arrangement(moved, pair),
      ...delivery(moved),
      ...changes,
    ];
  });
}
