/** Which files are the repository's own, and so must stay pure; ours and installed packages are let through. */
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FilePosition } from '../findings.ts';
import type { LoadOrder } from './document.ts';

const inside = (path: string, directory: string): boolean =>
  path.startsWith(directory.endsWith(sep) ? directory : directory + sep);

/** Asked for each object that is declared, about a few files. */
function remembered<Answer>(ask: (url: string) => Answer): (url: string) => Answer {
  const answers = new Map<string, Answer>();
  return (url) => {
    const known = answers.get(url);
    if (known !== undefined) return known;
    const answer = ask(url);
    answers.set(url, answer);
    return answer;
  };
}

export interface PolicedFiles {
  readonly has: (url: string) => boolean;
  /** Relative to the repository, with forward slashes. */
  readonly name: (url: string) => string;
  /** The frames of a formatted stack, topmost first, that lie in files of the repository. */
  readonly firstIn: (stack: string) => FilePosition | undefined;
}

export function policedFiles({ directory, packages }: Pick<LoadOrder, 'directory' | 'packages'>): PolicedFiles {
  const isOurs = (url: string): boolean => {
    if (!url.startsWith('file:')) return false;
    const path = fileURLToPath(url);
    if (!inside(path, directory) || packages.some((each) => inside(path, each))) return false;
    return !relative(directory, path).split(sep).includes('node_modules');
  };
  const has = remembered(isOurs);
  const name = remembered((url) => relative(directory, fileURLToPath(url)).split(sep).join('/'));
  const firstIn = (stack: string): FilePosition | undefined => {
    for (const [, url, line, column] of stack.matchAll(/(file:\/\/[^\s)]+?):(\d+)(?::(\d+))?(?=[\s)]|$)/g)) {
      if (url && has(url)) return { file: name(url), line: Number(line), column: Number(column ?? 1) };
    }
    return undefined;
  };
  return { has, name, firstIn };
}
