/** Looks at the files behind TLS from time to time: what is good is taken without a restart, what is bad leaves all as it was. */
import { createHash } from 'node:crypto';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { textsNow, textsSoon } from './files.ts';
import { judge, type Material, type TlsFiles, type TlsTexts } from './material.ts';

export interface RenewalSite {
  readonly files: TlsFiles;
  /** Puts it to use for connections to come. */
  readonly take: (material: Material) => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

const digestOf = (texts: TlsTexts): string => createHash('sha256').update(JSON.stringify(texts)).digest('base64');

/** Whoever renews a certificate in good time does not wait for it. Times and links of files are not asked: mounts have their own. */
const usualPauseMs = 10_000;

export class Renewal {
  /** What is in use since the start. */
  readonly first: Material;
  readonly #site: Omit<RenewalSite, 'take'>;
  #take: RenewalSite['take'] = () => undefined;
  #inUse: string;
  #told = '';
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Throws what `failure` makes of the problems when the files are bad from the start. */
  constructor(site: Omit<RenewalSite, 'take'>, failure: (problems: readonly string[]) => Error) {
    this.#site = site;
    const texts = textsNow(site.files);
    const judged = judge(site.files, texts, Date.now());
    if ('problems' in judged) throw failure(judged.problems);
    this.first = judged.material;
    this.#inUse = digestOf(texts);
    this.#show(judged.material);
    site.metrics.tlsRenewalFailed.set(0);
  }

  /** From now on what is renewed goes to `take`. */
  begin(take: RenewalSite['take'], pauseMs = usualPauseMs): void {
    this.#take = take;
    this.#timer = setInterval(() => void this.look(), pauseMs).unref();
  }

  /** Never rejects. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { files, log, metrics } = this.#site;
    const texts = await textsSoon(files);
    const digest = digestOf(texts);
    if (digest !== this.#inUse) {
      const judged = judge(files, texts, Date.now());
      if ('problems' in judged) return this.#refuse(judged.problems);
      this.#take(judged.material);
      this.#inUse = digest;
      this.#show(judged.material);
      log.info({ event: 'tls_renewed', ends: new Date(judged.material.ends.server).toISOString() }, 'TLS renewed');
    }
    this.#told = '';
    metrics.tlsRenewalFailed.set(0);
  }

  /** Told once: between the writing of a certificate and of its key a look may find the two apart. */
  #refuse(problems: readonly string[]): void {
    const { log, metrics } = this.#site;
    metrics.tlsRenewalFailed.set(1);
    const told = problems.join('\n');
    if (told === this.#told) return;
    this.#told = told;
    log.error({ event: 'tls_not_renewed', problems }, 'TLS is not renewed: what was in use stays');
  }

  #show({ ends }: Material): void {
    const { tlsExpiry } = this.#site.metrics;
    tlsExpiry.set({ certificate: 'server' }, ends.server / 1000);
    if (ends.clientCa !== undefined) tlsExpiry.set({ certificate: 'client_ca' }, ends.clientCa / 1000);
  }
}
