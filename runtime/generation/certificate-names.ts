/** Which consumer a name in a client certificate stands for. */
import { createHash } from 'node:crypto';
import type { Builder } from './builder.ts';
import { keyId } from './live-consumer.ts';
import type { LiveConsumer } from './live.ts';
import { OnDemand, type Directory } from './on-demand.ts';
import type { PackedSnapshot } from '../packed.ts';
import type { SharedParts } from './shared-parts.ts';

interface Site {
  readonly snapshot: PackedSnapshot;
  readonly parts: SharedParts;
  readonly build: Builder;
}

export class CertificateNames {
  readonly #site: Site;
  readonly #positions = new Map<string, number>();
  readonly #names: { readonly name: string; readonly owner: number }[] = [];

  constructor(site: Site) {
    this.#site = site;
  }

  add(consumer: string, names: readonly string[] | undefined, owner: number): void {
    const { snapshot, parts } = this.#site;
    for (const name of names ?? []) {
      const other = this.#names[this.#positions.get(name) ?? -1]?.owner;
      if (other !== undefined && other !== owner)
        parts.problem(
          `consumers.${consumer}`,
          `shares a certificate with consumer '${snapshot.consumers.at(other)[0]}'`,
        );
      this.#positions.set(name, this.#names.length);
      this.#names.push({ name, owner });
    }
  }

  directory(): Directory<LiveConsumer> {
    const { snapshot, build } = this.#site;
    return new OnDemand(this.#positions, (at) => {
      const { name = '', owner = 0 } = this.#names[at] ?? {};
      const consumer = build.consumer(...snapshot.consumers.at(owner), '');
      const digest = /^sha256:(.*)$/.exec(name)?.[1] ?? createHash('sha256').update(name).digest('hex');
      return { ...consumer, credential: { ...consumer.credential, id: keyId(digest) } };
    });
  }
}
