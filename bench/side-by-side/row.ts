/** One proxy or gateway that is measured: how it is brought here, started, and asked. */
import type { Asking, Work } from './works.ts';

/** Where a row runs. */
export interface Place {
  readonly port: number;
  readonly upstreamPort: number;
  /** Of this start alone; removed afterwards. */
  readonly folder: string;
}

export interface Launch {
  readonly program: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** File in `folder` for what it prints, when that is part of its work; otherwise nobody keeps it. */
  readonly log?: string;
  /** Ends what was started beside it. */
  readonly close?: () => Promise<void>;
}

/** Something is missing that a person can bring. */
export class Absent extends Error {
  override readonly name = 'Absent';
}

export interface Row {
  readonly name: string;
  readonly title: string;
  /** Names of the work that it does unless it is asked for by name; undefined: all. */
  readonly works?: readonly string[];
  /** Runs on all processors, those of the load included. */
  readonly isEverywhere?: boolean;
  /** Brings it into the cache; answers its version, or throws `Absent`. */
  prepare(): Promise<string>;
  /** Undefined: there is nothing to start, and the upstream itself is asked. */
  launch(place: Place): Promise<Launch | undefined>;
  /** Undefined: it has no way to do that. */
  ask(work: Work, place: Pick<Place, 'upstreamPort'>): Asking | undefined;
}
