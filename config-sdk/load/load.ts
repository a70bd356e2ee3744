/** Evaluates a repository's configuration in a child process that may read and nothing else. */
import { fileURLToPath } from 'node:url';
import { fromSource, ownPackages } from '../own-packages.ts';
import { isLoadDocument, type Judging, type LoadDocument, type LoadOrder } from './document.ts';
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

/** The document with what is known of its invariants; `end` is how a process ended that still had one to judge. */
function documentIn(answer: string, end: string): unknown {
  const [first = '', ...lines] = answer.split('\n').filter((line) => line !== '');
  const document = JSON.parse(first) as object;
  const last = lines.at(-1);
  if (last === undefined) return document;
  const { judging, ...told } = JSON.parse(last) as Judging;
  const stuck = judging === undefined ? [] : [{ declaration: judging, paths: 0, failure: end }];
  return { ...document, ...told, broken: [...told.broken, ...stuck] };
}

async function finish(child: RestrictedChild, { timeoutMs = 20_000 }: LoadOptions): Promise<Loaded> {
  const { answer, errors, ended, timedOut } = await child.finish();
  const late = `took longer than ${timeoutMs / 1_000} s`;
  const last = errorLineIn(errors);
  const how = timedOut ? late : `ended with ${ended}${last && `: ${last}`}`;
  try {
    const document = documentIn(answer, `evaluation ${how} at it`);
    if (isLoadDocument(document)) return { document };
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
    const loaded = await (ready ? finish(ready, {}) : load(this.#directory));
    if ('document' in loaded) this.#files = loaded.document.files;
    return loaded;
  }

  close(): void {
    this.#next?.discard();
    this.#next = undefined;
  }
}
