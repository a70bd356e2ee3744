/** Searches everything that a run of the suite recorded for the secrets that its tests planted, in plain and in disguise. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Origin } from './recording.ts';

export interface Leak {
  readonly secret: string;
  readonly disguise: string;
  readonly line: number;
  readonly recording: string;
  readonly origin: Origin;
  readonly plantedAt: string;
}

export interface Scan {
  readonly secrets: number;
  readonly recordings: number;
  readonly bytes: number;
  readonly leaks: readonly Leak[];
}

/** Why a secret may stand where it was found. Narrow on purpose: one rule for one reason. */
interface Exemption {
  readonly reason: string;
  readonly allows: (
    origin: Origin,
    line: string,
    planted: { readonly secret: string; readonly where: string },
  ) => boolean;
}

export const exemptions: readonly Exemption[] = [
  {
    reason: 'keys create prints the one key it made, once',
    allows: ({ words = [] }, line, { secret }) => words.join(' ').includes('keys create') && line.includes(secret),
  },
  {
    reason:
      'dev prints a key of its own or the one it was given for that, which only it accepts, and a line that uses it',
    allows: ({ words = [] }, line, { secret, where }) =>
      (words.includes('dev') || words.includes('start')) &&
      (/^hg_\w{43}$/.test(secret) || where.endsWith('variable HEADGATE_DEV_KEY')) &&
      line.includes(secret),
  },
  {
    reason: 'an upstream of this test answers with the headers it got, and answers of upstreams pass as they are',
    allows: ({ file, what }) => file === 'test/runtime/forward.test.ts' && what === 'answers',
  },
];

/** Too short to be told from chance. */
const shortestNeedle = 8;

function inBase64(secret: string, encoding: 'base64' | 'base64url'): string[] {
  // Of what stands before it in the encoded text depends in which of three ways it is spelled.
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.from(' '.repeat(before) + secret);
    const whole = bytes.toString(encoding).replace(/=+$/, '');
    const head = Math.ceil((before * 8) / 6);
    const tail = bytes.length % 3 === 0 ? 0 : 1;
    return whole.slice(head, whole.length - tail);
  });
}

/** The ways a text is spelled when it passes through usual encodings; each with its name. */
export function disguises(secret: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(secret);
  const ways: [string, string][] = [
    ['plain', secret],
    ['as JSON', JSON.stringify(secret).slice(1, -1)],
    ['in a URL', encodeURIComponent(secret)],
    ['in a form', new URLSearchParams({ s: secret }).toString().slice(2)],
    ['in hexadecimal', bytes.toString('hex')],
    ['in hexadecimal', bytes.toString('hex').toUpperCase()],
    ...inBase64(secret, 'base64').map((text): [string, string] => ['in base64', text]),
    ...inBase64(secret, 'base64url').map((text): [string, string] => ['in base64', text]),
  ];
  const named = new Map<string, string>();
  for (const [name, text] of ways) if (text.length >= shortestNeedle && !named.has(text)) named.set(text, name);
  return named;
}

interface Needle {
  readonly bytes: Buffer;
  readonly secret: string;
  readonly disguise: string;
}

/** Looks for thousands of texts at once: three bytes tell at nearly each place that none of them begins there. */
class Needles {
  readonly #beginnings = new Uint8Array(2 ** 24);
  readonly #byStart = new Map<number, Needle[]>();

  constructor(secrets: Iterable<string>) {
    for (const secret of secrets)
      for (const [text, disguise] of disguises(secret)) {
        const bytes = Buffer.from(text);
        const start = bytes.readUIntBE(0, 3);
        this.#beginnings[start] = 1;
        const others = this.#byStart.get(start);
        if (others) others.push({ bytes, secret, disguise });
        else this.#byStart.set(start, [{ bytes, secret, disguise }]);
      }
  }

  *in(text: Buffer): Generator<{ at: number; needle: Needle }> {
    let window = 0;
    for (let end = 0; end < text.length; end++) {
      window = ((window << 8) | (text[end] ?? 0)) & 0xffffff;
      if (this.#beginnings[window] === 0 || end < 2) continue;
      for (const needle of this.#byStart.get(window) ?? []) {
        const at = end - 2;
        if (
          text.compare(needle.bytes, 0, needle.bytes.length, at, Math.min(text.length, at + needle.bytes.length)) === 0
        )
          yield { at, needle };
      }
    }
  }
}

function plantedIn(folder: string, names: readonly string[]): Map<string, string> {
  const secrets = new Map<string, string>();
  for (const name of names.filter((each) => each.endsWith('.planted')))
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean)) {
      const { value, where } = JSON.parse(line) as { value: string; where: string };
      if (!secrets.has(value)) secrets.set(value, where);
    }
  return secrets;
}

/** `folder` holds what `recording.ts` wrote. */
export function scanForSecrets(folder: string): Scan {
  const names = readdirSync(folder);
  const secrets = plantedIn(folder, names);
  const needles = new Needles(secrets.keys());
  const said = names.filter((name) => name.endsWith('.said'));
  const leaks = new Map<string, Leak>();
  let bytes = 0;
  for (const name of said) {
    const text = readFileSync(join(folder, name));
    bytes += text.length;
    let origin: Origin | undefined;
    for (const { at, needle } of needles.in(text)) {
      origin ??= JSON.parse(readFileSync(join(folder, name.replace(/said$/, 'json')), 'utf8')) as Origin;
      const from = text.lastIndexOf(0x0a, at) + 1;
      const to = text.indexOf(0x0a, at);
      const line = text.toString('utf8', from, to === -1 ? text.length : to);
      const { secret, disguise } = needle;
      const where = origin;
      const planted = { secret, where: secrets.get(secret) ?? '' };
      if (exemptions.some(({ allows }) => allows(where, line, planted))) continue;
      // Once for each secret and recording: a log says the same thing many times.
      const key = `${name} ${secret}`;
      if (leaks.has(key)) continue;
      const before = text.toString('latin1', 0, from).split('\n').length;
      leaks.set(key, {
        secret,
        disguise,
        line: before,
        recording: join(folder, name),
        origin,
        plantedAt: secrets.get(secret) ?? '',
      });
    }
  }
  return { secrets: secrets.size, recordings: said.length, bytes, leaks: [...leaks.values()] };
}

/** One line for a person. What leaked is a secret of a test, and named by its beginning only all the same. */
export const leakInWords = ({ secret, disguise, line, recording, origin, plantedAt }: Leak): string =>
  `${secret.slice(0, 6)}… (planted in ${plantedAt}) stands ${disguise} in line ${line} of ${recording}: ${origin.what}, test "${origin.test}" in ${origin.file}`;
