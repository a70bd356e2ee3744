/** The files that a standing compiler has read: hands it their text, and notices what became of them since. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { ownPackages } from '../own-packages.ts';

/** How much older than it is a file may look. */
const clockStepMs = 10;
const sourceName = /\.([cm]?[jt]sx?|json)$/;
const relativeImport = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g;

const isInstalled = (path: string): boolean =>
  path.includes('/node_modules/') || ownPackages.some((each) => path.startsWith(each.split(sep).join('/') + '/'));

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    return null;
  }
}

/** Where a relative import may lead, whatever its extension stands for. */
const stem = (path: string): string => path.replace(/(\.d)?\.[cm]?[jt]sx?$/, '');

export class Sources {
  /** What the compiler was given; null: nothing stood there. */
  readonly #texts = new Map<string, string | null>();
  #installed: readonly string[] = [];
  #state = '';

  /** The text of a file of the repository, the same until `changes` has noticed another. Undefined for what is installed. */
  read(path: string): string | null | undefined {
    if (isInstalled(path) || !sourceName.test(path)) return undefined;
    const known = this.#texts.get(path);
    if (known !== undefined) return known;
    const text = textOf(path);
    this.#texts.set(path, text);
    return text;
  }

  /** `names` are the files that were compiled. False: something around them has moved since then. */
  settle(names: readonly string[], since: number): boolean {
    this.#installed = names.filter((name) => isInstalled(name));
    const { state, newest } = this.#surroundings();
    this.#state = state;
    return newest < since - clockStepMs;
  }

  /** Files that say something else by now; undefined where more has changed than what files say. */
  changes(): readonly string[] | undefined {
    if (this.#surroundings().state !== this.#state) return undefined;
    const changed: string[] = [];
    for (const [path, before] of this.#texts) {
      const text = textOf(path);
      if (text === before) continue;
      this.#texts.set(path, text);
      if (text === null || before === null) return undefined;
      changed.push(path);
    }
    return changed;
  }

  text(path: string): string {
    return this.#texts.get(path) ?? '';
  }

  /** Whether what a file imports may lead back to it: then its types are inferred together with others'. */
  isInCircle(path: string): boolean {
    const byStem = new Map([...this.#texts.keys()].map((each) => [stem(each), each]));
    const reached = new Set<string>();
    const next = [path];
    for (let file = next.pop(); file !== undefined; file = next.pop()) {
      for (const target of this.#importsOf(file)) {
        const found = byStem.get(stem(target)) ?? byStem.get(`${target}/index`);
        if (found === path) return true;
        if (found === undefined || reached.has(found)) continue;
        reached.add(found);
        next.push(found);
      }
    }
    return false;
  }

  #importsOf(path: string): string[] {
    const specifiers = [...this.text(path).matchAll(relativeImport)].map(([, specifier = '']) => specifier);
    return specifiers.map((specifier) => resolve(dirname(path), specifier).split(sep).join('/'));
  }

  /** What else decides how the files are read: installed ones, and the names beside those that are imported. */
  #surroundings(): { state: string; newest: number } {
    const lines: string[] = [];
    let newest = 0;
    const looked = (path: string, also: () => string): void => {
      const found = statSync(path, { throwIfNoEntry: false });
      newest = Math.max(newest, found?.mtimeMs ?? 0);
      lines.push(`${path} ${found && also()}`);
    };
    for (const path of this.#installed)
      looked(path, () => {
        const { ino, mtimeMs, size } = statSync(path);
        return `${ino} ${mtimeMs} ${size}`;
      });
    const paths = [...this.#texts].flatMap(([path, text]) => (text === null ? [] : [path]));
    const folders = new Set([...paths, ...paths.flatMap((path) => this.#importsOf(path))].map((path) => dirname(path)));
    for (const folder of folders)
      looked(folder, () =>
        readdirSync(folder)
          .filter((name) => sourceName.test(name))
          .join(),
      );
    return { state: lines.join('\n'), newest };
  }
}
