/** Evaluates a repository's configuration in a child process that may read and nothing else. */
import { fileURLToPath } from 'node:url';
import { fromSource, ownPackages } from '../own-packages.ts';
import { isLoadDocument, type LoadDocument, type LoadOrder } from './document.ts';
import { errorLineIn, runRestricted } from './restricted-child.ts';

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

/** `directory` is a real path. */
export async function load(
  directory: string,
  { timeoutMs = 20_000, noise = 'ignore' }: LoadOptions = {},
): Promise<Loaded> {
  const order: LoadOrder = { directory, config: configFile, packages: ownPackages };
  const script = fileURLToPath(new URL(`./child.${fromSource ? 'ts' : 'js'}`, import.meta.url));
  const { answer, errors, ended, timedOut } = await runRestricted({ script, directory, order, timeoutMs, noise });
  if (timedOut)
    return { fault: 'config_timeout', message: `evaluating ${configFile} took longer than ${timeoutMs / 1_000} s` };
  try {
    const document: unknown = JSON.parse(answer);
    if (isLoadDocument(document)) return { document };
    return {
      fault: 'config_failed',
      message: `evaluating ${configFile} gave no answer that can be read: it changes what objects or lists are`,
    };
  } catch {
    const last = errorLineIn(errors);
    return { fault: 'config_failed', message: `evaluating ${configFile} ended with ${ended}${last && `: ${last}`}` };
  }
}
