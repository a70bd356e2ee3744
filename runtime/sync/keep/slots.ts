/**
 * The artifacts on disk: `current/` to start from, `previous/` as the spare, and `next/` while a new one is written.
 *
 * Each holds the files as they were published and a seal, written last, that binds them to their commit. So a sealed
 * `next/` is a finished verdict: a promotion that died after the seal is carried to its end, one that died before it never
 * was. At every moment in between, the newest that is whole is at least as new as what was promoted before.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestFrom, openArtifact, parseJsonBytes, type Artifact, type Manifest } from '../../artifact.ts';
import type { RawArtifact } from '../source.ts';
import { isAbsent, readBounded, syncDirectory, writeSynced, writeWhole } from './files.ts';

type Slot = 'next' | 'current' | 'previous';
const newestFirst: readonly Slot[] = ['next', 'current', 'previous'];

/** Begins with a dot, which no file of an artifact does. */
const sealName = '.commit';
const artifactFile = /^[a-z0-9][a-z0-9.-]*$/;

/** The manifest holds the digest of every other file, so this covers them all. */
function sealOf(commit: string, manifest: Uint8Array): string {
  return createHash('sha256').update(`${commit}\n`).update(manifest).digest('hex');
}

/** Manifests of this many promotions are kept, for people who ask what ran here. */
const longestHistory = 10;
const historyFile = /^(\d{6,12})-([0-9a-zA-Z-]+)\.json$/;

export interface KeptManifest {
  readonly commit: string;
  readonly manifest: Manifest;
}

export interface Loaded<Opened> {
  /** The newest that is whole. */
  readonly opened: Opened | undefined;
  /** What was wrong with newer ones. */
  readonly problems: readonly string[];
}

/** Proves that an artifact may be served; throws when it may not. */
export type Open<Opened> = (raw: RawArtifact) => Opened | Promise<Opened>;

/** Only asks whether it is the artifact that its manifest names: whose it is, was asked before it was kept. */
const whole: Open<Artifact> = (raw) => openArtifact(raw, { now: 'any' });

export class Slots {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async load<Opened>(open: Open<Opened>): Promise<Loaded<Opened>> {
    const problems: string[] = [];
    const missing: string[] = [];
    for (const slot of newestFirst) {
      try {
        return { opened: await this.#read(slot, open), problems: [...problems, ...missing] };
      } catch (error) {
        // An unsealed `next/` is what a crash leaves behind, and says nothing about the others.
        if (slot === 'next') continue;
        if (isAbsent(error)) missing.push(`${slot}/ is missing`);
        else problems.push(`${slot}/ is not usable: ${(error as Error).message}`);
      }
    }
    // Where there is none at all, none was lost.
    return { opened: undefined, problems };
  }

  /** Makes `artifact` the one to start from and the one before it the spare. */
  async promote(artifact: Artifact): Promise<void> {
    await this.finish();
    if ((await this.#tryRead('current'))?.commit !== artifact.commit) {
      await this.#writeNext(artifact);
      await this.finish();
    }
    await this.#remember(artifact);
  }

  /** Carries a promotion that was interrupted after its seal to its end. */
  async finish(): Promise<void> {
    if (!(await this.#tryRead('next'))) return;
    // A spare that works is worth more than a predecessor that does not.
    if (await this.#tryRead('current')) {
      await this.#remove('previous');
      await rename(this.#path('current'), this.#path('previous'));
    } else await this.#remove('current');
    await rename(this.#path('next'), this.#path('current'));
    await syncDirectory(this.#directory);
  }

  /** Every manifest that is kept, in no order; what cannot be read is left out. */
  async manifests(): Promise<readonly KeptManifest[]> {
    const slots = await Promise.all(newestFirst.map((slot) => this.#tryRead(slot)));
    const remembered = await Promise.all((await this.#history()).map((name) => this.#readRemembered(name)));
    return [...slots, ...remembered].filter((kept) => kept !== undefined);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #remove(slot: Slot): Promise<void> {
    return rm(this.#path(slot), { recursive: true, force: true });
  }

  async #read<Opened>(slot: Slot, open: Open<Opened>): Promise<Opened> {
    const entries = await readdir(this.#path(slot), { withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile() && artifactFile.test(entry.name)).map(({ name }) => name);
    const files = new Map<string, Uint8Array>();
    for (const name of names) files.set(name, new Uint8Array(await readBounded(join(this.#path(slot), name))));
    const manifest = files.get('manifest.json');
    const seal = entries.some(({ name }) => name === sealName)
      ? (await readBounded(join(this.#path(slot), sealName))).toString('latin1')
      : '';
    const [, commit = '', check] = /^(\S{1,200}) ([0-9a-f]{64})\n$/.exec(seal) ?? [];
    if (!manifest || check !== sealOf(commit, manifest)) throw new Error('its files do not bear its seal');
    return open({ commit, files });
  }

  async #tryRead(slot: Slot): Promise<Artifact | undefined> {
    return this.#read(slot, whole).catch(() => undefined);
  }

  async #writeNext({ commit, files }: Artifact): Promise<void> {
    const path = this.#path('next');
    await this.#remove('next');
    try {
      await mkdir(path, { mode: 0o700 });
      for (const [name, bytes] of files) await writeSynced(join(path, name), bytes);
      const manifest = files.get('manifest.json') ?? new Uint8Array();
      await writeSynced(join(path, sealName), `${commit} ${sealOf(commit, manifest)}\n`);
      await syncDirectory(path);
    } catch (error) {
      await this.#remove('next').catch(() => undefined);
      throw error;
    }
  }

  /** Names in the history, oldest first: counted, because clocks jump. */
  async #history(): Promise<string[]> {
    const names = await readdir(this.#path('history')).catch(() => []);
    return names.filter((name) => historyFile.test(name)).toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b));
  }

  async #remember({ commit, files }: Artifact): Promise<void> {
    const names = await this.#history();
    const [, count = '0', last] = historyFile.exec(names.at(-1) ?? '') ?? [];
    const id = commit.replaceAll(/[^0-9a-zA-Z]/g, '-');
    const manifest = files.get('manifest.json');
    if (last === id || !manifest) return;
    await mkdir(this.#path('history'), { recursive: true, mode: 0o700 });
    const name = `${String(Number(count) + 1).padStart(6, '0')}-${id}.json`;
    await writeWhole(join(this.#path('history'), name), manifest);
    for (const old of names.slice(0, -(longestHistory - 1)))
      await rm(join(this.#path('history'), old), { force: true });
  }

  async #readRemembered(name: string): Promise<KeptManifest | undefined> {
    try {
      const bytes = await readBounded(join(this.#path('history'), name));
      return { commit: historyFile.exec(name)?.[2] ?? '', manifest: manifestFrom(parseJsonBytes(bytes, name)) };
    } catch {
      return undefined;
    }
  }
}
