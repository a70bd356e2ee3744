/**
 * When a revision is to blame. Each rule looks at what the revision changed, and is silent when what it left alone went
 * just as wrong at the same time (the control group), or when it went just as wrong under the revision it is compared with.
 */
import type { Changes } from './changes.ts';
import { blameInWords, type Blame, type HealthRecord, type ObjectRecord } from './health.ts';
import { OwnTime } from './own-time.ts';

/** Two revisions side by side: one after the other, or both at once. Which of them serves does not matter. */
export interface Evidence {
  readonly record: HealthRecord;
  /** Of the revision it is measured against. */
  readonly against: HealthRecord;
  /** What `record`'s revision changed against the other. */
  readonly changes: Pick<Changes, 'ofObject' | 'ofTarget' | 'isMeant'>;
}

export interface Fault {
  /** Which rule was broken: a word for metrics. */
  readonly rule: 'internal_faults' | 'target_refused' | 'requests_lost' | 'own_failures' | 'own_time';
  /** What it was seen at: a target's label or a `collection.name`. With `rule`, tells whether two faults are the same. */
  readonly subject: string;
  /** One sentence for people. */
  readonly sentence: string;
  /** `collection.name` of the changed object at fault, when one is. */
  readonly object: string | undefined;
}

/** How often a thing must fail before the revision is to blame. */
const enough = 3;
/** Shares and medians of fewer requests than this say nothing. */
const fewestSamples = 50;
/** Two percentage points. */
const mostAdded = 0.02;
/** Below this, twice as slow is nothing that a client would notice. */
const fewestAddedMs = 5;

type Rule = (evidence: Evidence) => Fault | undefined;

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

type Objects = readonly (readonly [name: string, record: ObjectRecord])[];

interface Split {
  readonly touched: Objects;
  readonly control: Objects;
}

/** Asked for only when there is a suspect: to compare what stands in two snapshots takes its time. */
function split({ record, changes }: Evidence): Split {
  const all = [...record.objects];
  const isTouched = ([name]: readonly [string, ObjectRecord]) => changes.ofObject(name) !== undefined;
  return { touched: all.filter(isTouched), control: all.filter((one) => !isTouched(one)) };
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0);
const requestsOf = (all: Objects): number => sum(all.map(([, { requests }]) => requests));
const faultsOf = (all: Objects): number => sum(all.map(([, { internalFaults }]) => internalFaults));

const internalFaults: Rule = (evidence) => {
  if (evidence.record.strayFaults + faultsOf([...evidence.record.objects]) < enough) return undefined;
  const { touched, control } = split(evidence);
  const count = evidence.record.strayFaults + faultsOf(touched);
  if (count < enough) return undefined;
  const others = faultsOf(control);
  const share = count / Math.max(count, requestsOf(touched));
  if (others >= enough && others / requestsOf(control) >= share / 2) return undefined;
  const worst = touched.toSorted(([, a], [, b]) => b.internalFaults - a.internalFaults)[0];
  const subject = worst && worst[1].internalFaults > 0 ? worst[0] : '';
  return {
    rule: 'internal_faults',
    subject,
    sentence: `the gateway itself failed ${times(count)}${subject && ` in requests for ${subject}`}`,
    object: subject ? evidence.changes.ofObject(subject) : undefined,
  };
};

/** `spared`: what was not asked of it because it was known to fail. It speaks for a revision and never against one. */
function mostlyFails(record: HealthRecord, label: string, spared?: 'spared'): Blame | undefined {
  const { answered = 0, blamed = 0, passedOver = 0, lastBlame } = record.targets.get(label) ?? {};
  const failed = blamed + (spared ? passedOver : 0);
  if (blamed < enough || failed <= answered) return undefined;
  // A vendor in trouble breaks some answers off; what never answers well is no such provider.
  return lastBlame === 'broken_answer' && answered > 0 ? undefined : lastBlame;
}

/** Whether it went on to fail in this way: an outage that was over says nothing about what came after it. */
const failsOn = (record: HealthRecord, label: string, blame: Blame): boolean =>
  record.targets.get(label)?.isFailing === true && mostlyFails(record, label, 'spared') === blame;

/** Targets that this revision left alone and that went bad in the same way: then it is not the revision. */
function isWeather({ record, against, changes }: Evidence, blame: Blame): boolean {
  return [...record.targets.keys()].some((label) => {
    if (mostlyFails(record, label, 'spared') !== blame || changes.ofTarget(label, blame) !== undefined) return false;
    return (against.targets.get(label)?.answered ?? 0) > 0 && mostlyFails(against, label, 'spared') === undefined;
  });
}

const targetRefused: Rule = (evidence) => {
  const { record, against, changes } = evidence;
  for (const [label, { answered, blamed }] of record.targets) {
    const blame = mostlyFails(record, label);
    const object = blame && changes.ofTarget(label, blame);
    if (blame === undefined || object === undefined) continue;
    if (failsOn(against, label, blame) || isWeather(evidence, blame)) continue;
    const sentence = `${label} ${blameInWords[blame]} (${times(blamed)}, ${answered} good answers)`;
    return { rule: 'target_refused', subject: label, sentence, object };
  }
  return undefined;
};

const requestsLost: Rule = ({ record, changes }) => {
  for (const [object, { times: count, code }] of record.losses) {
    if (count < enough || changes.isMeant(object)) continue;
    const cure = `if that is meant, say why in the configuration: defineGateway({ removed: { '${object}': '…' } })`;
    const sentence = `${count} requests for ${object} that the revision before would have served ended as ${code}; ${cure}`;
    return { rule: 'requests_lost', subject: object, sentence, object: changes.ofObject(object) ?? object };
  }
  return undefined;
};

/** Own failures, of those whose target `counts`, as a share of all requests. */
function failureShare(records: readonly ObjectRecord[], counts: (target: string) => boolean): number {
  const failed = sum(records.flatMap(({ failures }) => [...failures].map(([to, count]) => (counts(to) ? count : 0))));
  return failed / Math.max(1, sum(records.map(({ requests }) => requests)));
}

/** The same objects under the other revision. */
const sameIn = ({ against }: Evidence, all: Objects): ObjectRecord[] =>
  all.flatMap(([name]) => against.objects.get(name) ?? []);

const any = () => true;

/** How much more often the control group fails. */
function failuresInTheWeather(evidence: Evidence): number {
  const { control } = split(evidence);
  if (requestsOf(control) < fewestSamples) return 0;
  const now = control.map(([, record]) => record);
  return failureShare(now, any) - failureShare(sameIn(evidence, control), any);
}

const ownFailures: Rule = (evidence) => {
  const { changes, record: all } = evidence;
  for (const [name, record] of all.objects) {
    if (record.requests < fewestSamples || record.failures.size === 0) continue;
    // What an unchanged target refuses is not this revision's doing, whatever else it changed on the way there.
    const share = failureShare(
      [record],
      (target) => target === '' || changes.ofTarget(target, 'credential') !== undefined,
    );
    const before = failureShare(sameIn(evidence, [[name, record]]), any);
    const object = share - before > mostAdded ? changes.ofObject(name) : undefined;
    if (object === undefined || failuresInTheWeather(evidence) > mostAdded) continue;
    const percent = (one: number) => `${(one * 100).toFixed(1)} %`;
    return {
      rule: 'own_failures',
      subject: name,
      sentence: `${percent(share)} of ${record.requests} requests for ${name} failed by the gateway's own doing, before it ${percent(before)}`,
      object,
    };
  }
  return undefined;
};

interface Growth {
  readonly factor: number;
  readonly addedMs: number;
}

/** From `before` to `now`; undefined when too few were measured. */
function growth(now: OwnTime, before: OwnTime, share: number): Growth | undefined {
  if (now.total < fewestSamples || before.total < fewestSamples) return undefined;
  const [after, earlier] = [now.quantile(share), before.quantile(share)];
  return { factor: after / earlier, addedMs: after - earlier };
}

const timesOf = (records: readonly ObjectRecord[]): OwnTime => OwnTime.together(records.map(({ ownTime }) => ownTime));

/** How much slower the control group has become: on a machine in trouble what was left alone is slower, too. */
function slownessInTheWeather(evidence: Evidence, share: number): Growth {
  const { control } = split(evidence);
  const now = timesOf(control.map(([, record]) => record));
  const { factor, addedMs } = growth(now, timesOf(sameIn(evidence, control)), share) ?? { factor: 1, addedMs: 0 };
  return { factor: Math.max(1, factor), addedMs: Math.max(0, addedMs) };
}

const isJump = (grown: Growth | undefined, weather: Growth): boolean =>
  grown !== undefined && grown.factor >= 2 * weather.factor && grown.addedMs >= fewestAddedMs + weather.addedMs;

const ownTime: Rule = (evidence) => {
  for (const [name, { ownTime: now }] of evidence.record.objects) {
    const before = evidence.against.objects.get(name)?.ownTime;
    if (!before) continue;
    // Both: half of the requests, and what is seldom, so that a few slow moments are no evidence.
    const jumps = (weather: (share: number) => Growth) =>
      [0.5, 0.9].every((share) => isJump(growth(now, before, share), weather(share)));
    if (!jumps(() => ({ factor: 1, addedMs: 0 }))) continue;
    const object = evidence.changes.ofObject(name);
    if (object === undefined || !jumps((share) => slownessInTheWeather(evidence, share))) continue;
    const median = (one: OwnTime) => `${one.quantile(0.5).toFixed(1)} ms`;
    const sentence = `the gateway itself takes ${median(now)} for a request for ${name}, before it ${median(before)}`;
    return { rule: 'own_time', subject: name, sentence, object };
  }
  return undefined;
};

const rules: readonly Rule[] = [internalFaults, targetRefused, requestsLost, ownFailures, ownTime];

/** The first rule that the revision breaks. */
export function faultOf(evidence: Evidence): Fault | undefined {
  for (const rule of rules) {
    const fault = rule(evidence);
    if (fault) return fault;
  }
  return undefined;
}
