/**
 * A compiler that stays between two saves of `dev --watch`. All it can say is that the files, as they are now, have no type
 * errors; whenever it cannot say so, the compiler proper is asked, and that one's words are shown.
 */
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { API, Project, Snapshot } from 'typescript/unstable/async';
import { policedFiles } from '../load/policed-files.ts';
import { ownPackages } from '../own-packages.ts';
import { projectFor } from '../typecheck.ts';
import { outwardOf } from './outward.ts';
import { Sources } from './sources.ts';

/** A compiler that takes longer has died or hangs. */
const patienceMs = 20_000;
/** With more, everything is as quickly looked at. */
const mostAlone = 8;

const errorCategory = 1;

const projectIn = (scratch: string): string => join(scratch, 'tsconfig.json');

interface Base {
  readonly snapshot: Snapshot;
  readonly names: string;
  /** By file, as far as anybody has asked. */
  readonly outward: Map<string, string>;
}

/** One process, its files and the last state of them that had no errors. */
class Standing {
  readonly #api: API;
  readonly #directory: string;
  readonly #scratch: string;
  readonly #sources: Sources;
  #base: Base | undefined;
  #latest: Snapshot | undefined;
  /** Files that are not as they were in the base. */
  readonly #altered = new Set<string>();

  private constructor(api: API, directory: string, scratch: string, sources: Sources) {
    this.#api = api;
    this.#directory = directory;
    this.#scratch = scratch;
    this.#sources = sources;
  }

  static async start(directory: string): Promise<Standing> {
    const { API } = await import('typescript/unstable/async');
    const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'headgate-types-')));
    writeFileSync(projectIn(scratch), JSON.stringify(projectFor(directory)));
    const sources = new Sources();
    const readFile = (path: string) => (path.startsWith(scratch) ? undefined : sources.read(path));
    return new Standing(new API({ cwd: directory, fs: { readFile } }), directory, scratch, sources);
  }

  /** Whether there is a state without errors to go on from. */
  async begin(): Promise<boolean> {
    const since = Date.now();
    const snapshot = await this.#api.updateSnapshot({ openProjects: [projectIn(this.#scratch)] });
    const names = await this.#namesIn(snapshot);
    if (!this.#sources.settle(names, since) || !(await this.#isSpotless(snapshot))) return false;
    this.#latest = snapshot;
    this.#base = { snapshot, names: names.join('\n'), outward: new Map() };
    return true;
  }

  /** Undefined: start anew. */
  async passes(): Promise<boolean | undefined> {
    const since = Date.now();
    const base = this.#base;
    const changes = this.#sources.changes();
    if (!base || !changes || changes.some((path) => !/\.[cm]?tsx?$/.test(path))) return undefined;
    for (const path of changes) this.#altered.add(path);
    if (this.#altered.size === 0) return true;
    const latest = changes.length > 0 ? await this.#update(changes, base) : (this.#latest ?? base.snapshot);
    const names = await this.#namesIn(latest);
    const sameFiles = names.join('\n') === base.names;
    const outward = sameFiles ? await this.#outwardUnchanged(latest, base) : undefined;
    if (outward === 'errors') return false;
    if (!outward && !(await this.#isSpotless(latest))) return false;
    // Others may be seen differently too, now that everything was looked at.
    const known = outward ? new Map([...base.outward, ...outward]) : new Map<string, string>();
    this.#base = { snapshot: latest, names: names.join('\n'), outward: known };
    this.#altered.clear();
    if (base.snapshot !== latest) await base.snapshot.dispose();
    return sameFiles || this.#sources.settle(names, since) || undefined;
  }

  async #update(changes: readonly string[], base: Base): Promise<Snapshot> {
    const before = this.#latest;
    const fileChanges = { changed: [...changes] };
    const latest = await this.#api.updateSnapshot({ openProjects: [projectIn(this.#scratch)], fileChanges });
    this.#latest = latest;
    if (before && before !== base.snapshot) await before.dispose();
    return latest;
  }

  /** How the altered files are seen, where that is as before and nothing is wrong within them; else nobody knows. */
  async #outwardUnchanged(latest: Snapshot, base: Base): Promise<ReadonlyMap<string, string> | 'errors' | undefined> {
    const paths = [...this.#altered];
    if (paths.length > mostAlone || paths.some((path) => this.#sources.isInCircle(path))) return undefined;
    const [now, before] = [this.#in(latest), this.#in(base.snapshot)];
    const outward = new Map<string, string>();
    const seen = await Promise.all(
      paths.map(async (path) => {
        const [fine, seenNow, seenBefore] = await Promise.all([
          this.#isSpotless(latest, path),
          outwardOf(now, path),
          base.outward.get(path) ?? outwardOf(before, path),
        ]);
        if (seenNow !== undefined) outward.set(path, seenNow);
        return { fine, same: seenNow !== undefined && seenNow === seenBefore };
      }),
    );
    if (seen.some(({ fine }) => !fine)) return 'errors';
    return seen.every(({ same }) => same) ? outward : undefined;
  }

  /** Of one file, or of all together. */
  async #isSpotless(snapshot: Snapshot, path?: string): Promise<boolean> {
    const { program } = this.#in(snapshot);
    const found = await Promise.all([
      program.getSyntacticDiagnostics(path),
      program.getBindDiagnostics(path),
      program.getSemanticDiagnostics(path),
      ...(path === undefined
        ? [program.getConfigFileParsingDiagnostics(), program.getProgramDiagnostics(), program.getGlobalDiagnostics()]
        : []),
    ]);
    const files = policedFiles({ directory: this.#directory, packages: ownPackages });
    const isOurs = (name: string | undefined) => name === undefined || files.has(pathToFileURL(name).href);
    return !found.flat().some(({ category, fileName }) => category === errorCategory && isOurs(fileName));
  }

  #in(snapshot: Snapshot): Project {
    const project = snapshot.getProject(projectIn(this.#scratch));
    if (!project) throw new Error('the compiler has lost the project');
    return project;
  }

  async #namesIn(snapshot: Snapshot): Promise<readonly string[]> {
    return [...(await this.#in(snapshot).program.getSourceFileNames())].sort();
  }

  async close(): Promise<void> {
    await this.#api.close();
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

async function patiently<Answer>(work: Promise<Answer>): Promise<Answer | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((done) => (timer = setTimeout(() => done(undefined), patienceMs)));
  try {
    return await Promise.race([work, late]);
  } catch {
    // It is of help only, and whoever it cannot help asks the compiler proper.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

export class StandingCompiler {
  readonly #directory: string;
  #standing: Standing | undefined;
  #starting: Promise<void> | undefined;
  #isClosed = false;

  /** `directory` is a real path. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether the files, as they are now, are certain to have no type error. */
  async passes(): Promise<boolean> {
    const verdict = this.#standing && (await patiently(this.#standing.passes()));
    if (verdict === undefined) this.forget();
    return verdict ?? false;
  }

  /** Starts one where none stands, in a moment in which nobody waits for anything: it begins with all files. */
  prepare(): void {
    if (this.#standing || this.#isClosed) return;
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
  }

  async #start(): Promise<void> {
    const standing = await patiently(Standing.start(this.#directory));
    if (!standing) return;
    const isFine = await patiently(standing.begin());
    if (isFine && !this.#isClosed) this.#standing = standing;
    else await patiently(standing.close());
  }

  /** Gives up what stands: another one starts with what the files are by then. */
  forget(): void {
    if (this.#standing) void patiently(this.#standing.close());
    this.#standing = undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.forget();
    await this.#starting;
  }
}
