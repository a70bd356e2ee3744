/** Evaluates a repository's configuration in a child process that may read and nothing else. */
import { fileURLToPath } from 'node:url';
import { fromSource, ownPackages } from '../own-packages.ts';
import { isLoadDocument, type DocumentHead, type Judging, type LoadDocument, type LoadOrder } from './document.ts';
import { errorLineIn, startRestricted, type RestrictedChild } from './restricted-child.ts';

export const configFile = 'gateway.config.ts';

export interface LoadOptions {
  /** Longest time the evaluation may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** Where `console.log` in a configuration goes. */
  readonly noise?: 'stderr' | 'ignore';
}

export type Loaded =
  | { readonly document: LoadDocument }
  | { readonly fault: 'config_timeout' | 'config_failed'; readonly message: string };

/** `ahead`: files that the process may look at before it is told to begin. */
function start(directory: string, { timeoutMs = 20_000, noise = 'ignore' }: LoadOptions, ahead?: readonly string[]) {
  const order: LoadOrder = { directory, config: configFile, packages: ownPackages, ...(ahead && { ahead }) };
  const script = fileURLToPath(new URL(`./child.${fromSource ? 'ts' : 'js'}`, import.meta.url));
  return startRestricted({ script, directory, order, timeoutMs, noise, ...(ahead && { input: 'begin' }) });
}

/** Declarations by the line that they were read from. */
type Lines = ReadonlyMap<string, object>;

/**
 * One that reads as it did last time is the same object: what was found out about it, in maps that forget what nobody has
 * any more, holds on.
 */
export function declarationsIn(lines: readonly string[], before: Lines): { declarations: object[]; read: Lines } {
  const read = new Map<string, object>();
  const declarations = lines.map((line) => {
    const known = read.has(line) ? undefined : before.get(line);
    const declaration = known ?? (JSON.parse(line) as object);
    // Two alike are two.
    if (!read.has(line)) read.set(line, declaration);
    return declaration;
  });
  return { declarations, read };
}

interface Answer {
  readonly document: unknown;
  readonly read: Lines;
}

/** The document with what is known of its invariants; `end` is how a process ended that still had one to judge. */
function answerIn(answer: string, end: string, before: Lines): Answer {
  const [first = '', ...others] = answer.split('\n').filter((line) => line !== '');
  const { declared, ...head } = JSON.parse(first) as DocumentHead;
  const { declarations, read } = declarationsIn(others.slice(0, declared), before);
  if (declarations.length !== declared) throw new SyntaxError('the answer ends too early');
  return { document: withJudging({ ...head, declarations }, others.slice(declared), end), read };
}

function withJudging(document: object, lines: readonly string[], end: string): unknown {
  const last = lines.at(-1);
  if (last === undefined) return document;
  const { judging, ...told } = JSON.parse(last) as Judging;
  const stuck = judging === undefined ? [] : [{ declaration: judging, paths: 0, failure: end }];
  return { ...document, ...told, broken: [...told.broken, ...stuck] };
}

async function finish(
  child: RestrictedChild,
  { timeoutMs = 20_000 }: LoadOptions,
  lines: { current: Lines } = { current: new Map() },
): Promise<Loaded> {
  const { answer, errors, ended, timedOut } = await child.finish();
  const late = `took longer than ${timeoutMs / 1_000} s`;
  const last = errorLineIn(errors);
  const how = timedOut ? late : `ended with ${ended}${last && `: ${last}`}`;
  try {
    const { document, read } = answerIn(answer, `evaluation ${how} at it`, lines.current);
    if (isLoadDocument(document)) {
      lines.current = read;
      return { document };
    }
  } catch {
    const fault = timedOut ? 'config_timeout' : 'config_failed';
    return { fault, message: `evaluating ${configFile} ${how}` };
  }
  return {
    fault: 'config_failed',
    message: `evaluating ${configFile} gave no answer that can be read: it changes what objects or lists are`,
  };
}

/** `directory` is a real path. */
export const load = (directory: string, options: LoadOptions = {}): Promise<Loaded> =>
  finish(start(directory, options), options);

/** As many as the arguments of a process have room for. */
const mostAhead = 500;

/** Evaluates one directory again and again, each time in a new process, which may have been started ahead. */
export class Evaluations {
  readonly #directory: string;
  #files: readonly string[] = [];
  readonly #lines: { current: Lines } = { current: new Map() };
  #next: RestrictedChild | undefined;

  /** `directory` is a real path. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Starts the process of the next evaluation, which goes as far as it can without running anything of the repository. */
  prepare(): void {
    this.#next ??= start(this.#directory, {}, this.#files.slice(0, mostAhead));
  }

  async load(): Promise<Loaded> {
    const ready = this.#next?.isCurrent() === true ? this.#next : undefined;
    if (!ready) this.close();
    this.#next = undefined;
    const loaded = await finish(ready ?? start(this.#directory, {}), {}, this.#lines);
    if ('document' in loaded) this.#files = loaded.document.files;
    return loaded;
  }

  close(): void {
    this.#next?.discard();
    this.#next = undefined;
  }
}
