/** What a replay found, as sentences that every form of a plan shows. */
import { counted, joined, listed, say, type Phrase, type Risk } from '../change.ts';
import { percent } from '../legs.ts';
import type { Replay } from './replay.ts';
import type { Group, Share } from './tally.ts';

export interface TrafficRow {
  readonly risk: Risk;
  readonly sentence: Phrase;
  readonly details: readonly Phrase[];
  /** Lines of the file. */
  readonly where: Phrase;
}

export interface TrafficWords {
  readonly summary: Phrase;
  readonly notes: readonly Phrase[];
  /** Highest risk first, and of those the most frequent. */
  readonly rows: readonly TrafficRow[];
  readonly sums: readonly Phrase[];
}

/** `of requests`: the number alone says little. */
const part = (count: number, whole: number): Phrase =>
  say`${counted(count, 'request')} (${[percent(whole === 0 ? 0 : count / whole)]})`;

const nameOf = (object = ''): string => object.slice(object.indexOf('.') + 1);
const sorts: readonly (readonly [prefix: string, words: string])[] = [
  ['quotas.', 'quota'],
  ['policies.', 'policy'],
  ['contextPolicies.', 'context policy'],
  ['consumers.', 'consumer'],
  ['routes.', 'route'],
  ['prompts.', 'prompt'],
  ['models.', 'model'],
];

function objectInWords(object: string | undefined): Phrase {
  const sort = sorts.find(([prefix]) => object?.startsWith(prefix));
  return sort ? say`${[sort[1]]} ${nameOf(object)}` : [];
}

const entryInWords = (matched: string): Phrase => {
  const end = matched.indexOf(':');
  return end === -1 ? say`${matched}` : say`${[`${matched.slice(0, end)} `]}${matched.slice(end + 1)}`;
};

function sentenceOf(group: Group): Phrase {
  const { kind, count, of, from = '', to = '', object } = group;
  const [requests, by] = [part(count, of), objectInWords(object)];
  const because = by.length === 0 ? by : say` by ${by}`;
  switch (kind) {
    case 'refused_now':
      return say`${requests} would now be refused with ${to}${because}`;
    case 'admitted_now':
      return say`${requests} would now be let through that were refused with ${from}${because}`;
    case 'refused_otherwise':
      return say`${requests} would be refused with ${to}${because}, not with ${from}`;
    case 'answered_by_another':
      return say`${requests} would be answered by ${entryInWords(to)}, not by ${entryInWords(from)}`;
    case 'other_target':
      return say`${requests} that went to ${from} first would go to ${to}`;
    case 'other_upstream':
      return say`${requests} that went to upstream ${from} would go to ${to}`;
    case 'other_path':
      return say`${requests} would be asked for at another path of the same upstream`;
    case 'other_fallbacks':
      return say`${requests} would go to the same target first, and to others when it fails`;
    case 'other_prompt':
      return say`${requests} would get other texts from ${by.length === 0 ? ['a prompt'] : by}`;
    case 'cut_more':
      return say`${requests} would lose more of their conversation${because}`;
    case 'cut_less':
      return say`${requests} would keep more of their conversation${because}`;
  }
}

const mostShares = 5;

function sharesInWords(shares: readonly Share[], name: (share: Share) => Phrase): Phrase {
  const shown = shares.slice(0, mostShares).map((share) => say`${name(share)} (${share.count})`);
  const rest = shares.length - shown.length;
  return joined(rest > 0 ? [...shown, counted(rest, 'more', 'more')] : shown, ', ');
}

function detailsOf({ kind, consumers, entries, refusals, messages, firstAt }: Group): Phrase[] {
  const details: Phrase[] = [];
  if (refusals && kind !== 'refused_otherwise')
    details.push(say`it refuses ${refusals.before} → ${refusals.after} in all; first at ${[firstAt]}`);
  if (messages !== undefined)
    details.push(
      say`${counted(messages, 'message')} ${[kind === 'cut_more' ? 'more are left out' : 'are kept that were left out']}`,
    );
  if (consumers.length > 0) details.push(say`from ${sharesInWords(consumers, ({ name }) => say`${name}`)}`);
  if (entries.length > 0 && kind !== 'answered_by_another')
    details.push(say`for ${sharesInWords(entries, ({ name }) => entryInWords(name))}`);
  return details;
}

function whereInWords({ lines, count }: Group): Phrase {
  const more = count > lines.length ? ' …' : '';
  return [`${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}${more}`];
}

/** Such as: +12.5%. */
function change(before: number, after: number): Phrase {
  if (before === after) return [', as before'];
  if (before === 0) return [];
  return [` (${after > before ? '+' : '−'}${percent(Math.abs(after - before) / before)})`];
}

const amount = (usd: string): number => Number(usd.slice(1));

function sumsOf({ spent, admitted, requests }: Replay): Phrase[] {
  const { calls, unsized, inputTokens, priced, withoutOutput, cost } = spent;
  const sums = [
    say`let through: ${admitted.before} → ${admitted.after} of ${requests}${change(admitted.before, admitted.after)}`,
  ];
  if (calls === unsized) return sums;
  const { before, after } = inputTokens;
  sums.push(say`tokens sent to models, as estimated: ${before} → ${after}${change(before, after)}`);
  if (priced > 0) {
    const money = `${cost.before} → ${cost.after}`;
    const unknown = withoutOutput > 0 ? say`; the answers of ${withoutOutput} are not in the recording` : [];
    sums.push(
      say`cost at the first target: ${[money]}${change(amount(cost.before), amount(cost.after))}, answers as recorded${unknown}`,
    );
  }
  const unpriced = calls - unsized - priced;
  if (unpriced > 0)
    sums.push(say`no price is known on both sides for ${counted(unpriced, 'call')} (${[percent(unpriced / calls)]})`);
  return sums;
}

function notesOf({ bad, problems, skipped, unordered, spent }: Replay): Phrase[] {
  const notes: Phrase[] = [];
  if (bad > 0) {
    const first = problems.map(({ line, problem }): Phrase => [`line ${line}: ${problem}`]);
    notes.push(say`${counted(bad, 'line')} cannot be read: ${joined(first, '; ')}${bad > first.length ? ['; …'] : []}`);
  }
  const reasons: readonly (readonly [count: number, why: string])[] = [
    [skipped.content_unknown, 'refused for their content, which is not recorded'],
    [skipped.no_conversation, 'no conversations, and of nothing else the content can be stood in for'],
    [skipped.model_unknown, 'refused before a model was found'],
    [skipped.not_decided, 'refused before the configuration had a part in it'],
  ];
  for (const [count, why] of reasons)
    if (count > 0) notes.push(say`${counted(count, 'request')} not replayed: ${[why]}`);
  if (spent.unsized > 0)
    notes.push(
      say`${counted(spent.unsized, 'call')} without a recorded size: taken as one short message, and in no sum of tokens`,
    );
  if (unordered > 0)
    notes.push(
      say`${counted(unordered, 'request')} older than the one before by a minute or more: sort the file by time, or quotas count wrongly`,
    );
  return notes;
}

/** To the minute, as people read it. */
const minute = (iso = ''): Phrase => [`${iso.slice(0, 10)} ${iso.slice(11, 16)}`];

export function trafficInWords(replay: Replay): TrafficWords {
  const { requests, differ, from, to, file } = replay;
  const verdict =
    differ === 0 ? ['all are decided as before'] : say`${part(differ, requests)} would be decided differently`;
  return {
    summary: say`${counted(requests, 'request')} of ${listed([file])}, from ${minute(from)} to ${minute(to)} UTC: ${verdict}`,
    notes: notesOf(replay),
    rows: replay.groups.map((group) => ({
      risk: group.risk,
      sentence: sentenceOf(group),
      details: detailsOf(group),
      where: whereInWords(group),
    })),
    sums: sumsOf(replay),
  };
}
