/** Counts what a replay decides: as much memory for a million requests as for a thousand. */
import type { Decision } from '@headgate/runtime/decide';
import { byText, risks } from '../change.ts';
import { differenceKinds, differencesOf, type Difference } from './differences.ts';
import { Spending, type Spent } from './spending.ts';
import type { Sides } from '../revision.ts';

const mostExamples = 3;

export interface Share {
  readonly name: string;
  readonly count: number;
}

/** Requests that differ in the same way. */
export interface Group extends Difference {
  readonly count: number;
  /** Of how many: those that began at the same target, or entered there, before. */
  readonly of: number;
  /** For quotas: requests that it refuses before and after, whoever else refuses them. */
  readonly refusals?: { readonly before: number; readonly after: number };
  /** Most requests first; a request without a known key has none. */
  readonly consumers: readonly Share[];
  /** Models and routes: `model:chat`. */
  readonly entries: readonly Share[];
  /** The first lines of the file. */
  readonly lines: readonly number[];
  /** When the first of them came. */
  readonly firstAt: string;
}

export interface Tallied {
  readonly requests: number;
  readonly differ: number;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly admitted: { readonly before: number; readonly after: number };
  readonly groups: readonly Group[];
  readonly spent: Spent;
}

/** What is known of a replayed request besides the decisions. */
export interface Asked {
  readonly line: number;
  readonly at: number;
  readonly tokens: number | undefined;
  readonly outputTokens: number | undefined;
}

class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string, more = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + more);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  mostFirst(): Share[] {
    const shares = [...this.#counts].map(([name, count]) => ({ name, count }));
    return shares.toSorted((a, b) => b.count - a.count || byText(a.name, b.name));
  }
}

interface Growing {
  readonly difference: Difference;
  readonly consumers: Counts;
  readonly entries: Counts;
  readonly lines: number[];
  readonly firstAt: number;
  count: number;
  messages: number;
}

const keyOf = ({ kind, from, to, object }: Difference): string => [kind, from, to, object].join('\n');
const quotaRefusal = ({ refusal }: Decision): string => (refusal?.code === 'quota_exceeded' ? `${refusal.object}` : '');

export class Tally {
  readonly #groups = new Map<string, Growing>();
  readonly #spending = new Spending();
  /** By what a share is told of: the first target or upstream before. */
  readonly #begun = new Counts();
  readonly #refusals = { before: new Counts(), after: new Counts() };
  readonly #admitted = { before: 0, after: 0 };
  #requests = 0;
  #differ = 0;
  #from = Infinity;
  #to = -Infinity;

  add(asked: Asked, before: Decision, after: Decision): void {
    this.#requests += 1;
    this.#from = Math.min(this.#from, asked.at);
    this.#to = Math.max(this.#to, asked.at);
    if (!before.refusal) this.#admitted.before += 1;
    if (!after.refusal) this.#admitted.after += 1;
    this.#refusals.before.add(quotaRefusal(before));
    this.#refusals.after.add(quotaRefusal(after));
    this.#begun.add(before.outcome.order[0] ?? before.upstream?.name ?? '');
    this.#spending.add(asked, before, after);
    const differences = differencesOf(before, after);
    if (differences.length > 0) this.#differ += 1;
    const consumer = before.outcome.consumer ?? after.outcome.consumer;
    const entry = before.outcome.matched === 'none' ? after.outcome.matched : before.outcome.matched;
    for (const difference of differences) {
      const group = this.#group(difference, asked.at);
      group.count += 1;
      group.messages += difference.messages ?? 0;
      if (consumer !== undefined) group.consumers.add(consumer);
      if (entry.includes(':')) group.entries.add(entry);
      if (group.lines.length < mostExamples) group.lines.push(asked.line);
    }
  }

  #group(difference: Difference, firstAt: number): Growing {
    const key = keyOf(difference);
    const known = this.#groups.get(key);
    if (known) return known;
    const counts = { consumers: new Counts(), entries: new Counts() };
    const begun = { difference, ...counts, lines: [], firstAt, count: 0, messages: 0 };
    this.#groups.set(key, begun);
    return begun;
  }

  #finished({ difference, consumers, entries, lines, firstAt, count, messages }: Growing): Group {
    const { kind, from = '', object = '' } = difference;
    const isMove = kind === 'other_target' || kind === 'other_upstream';
    const refusals = { before: this.#refusals.before.of(object), after: this.#refusals.after.of(object) };
    return {
      ...difference,
      count,
      of: isMove ? this.#begun.of(from) : this.#requests,
      ...(difference.messages !== undefined && { messages }),
      ...(object.startsWith('quotas.') && { refusals }),
      consumers: consumers.mostFirst(),
      entries: entries.mostFirst(),
      lines,
      firstAt: new Date(firstAt).toISOString(),
    };
  }

  finish(sides: Sides): Tallied {
    const groups = [...this.#groups.values()].map((each) => this.#finished(each));
    const hasReplayed = this.#requests > 0;
    return {
      requests: this.#requests,
      differ: this.#differ,
      from: hasReplayed ? new Date(this.#from).toISOString() : undefined,
      to: hasReplayed ? new Date(this.#to).toISOString() : undefined,
      admitted: { ...this.#admitted },
      groups: groups.toSorted(
        (a, b) =>
          risks.indexOf(a.risk) - risks.indexOf(b.risk) ||
          b.count - a.count ||
          differenceKinds.indexOf(a.kind) - differenceKinds.indexOf(b.kind) ||
          byText(keyOf(a), keyOf(b)),
      ),
      spent: this.#spending.finish(sides),
    };
  }
}
