/** Loaded before each test file of a whole run: writes down what it starts, asks and serves, and what secrets it plants. */
import { ChildProcess } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { basename, relative, resolve } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import {
  directoriesOf,
  plantFile,
  plantFlags,
  planted,
  plantPassword,
  record,
  recordDirectory,
  recordings,
  type Origin,
  type Recording,
} from './recording.ts';

const root = resolve(import.meta.dirname, '../..');
const file = relative(root, process.argv[1] ?? '');
const inherited = new Set(Object.values(process.env));
let test = 'before the first test';

/** What others wrote, and what they print says nothing of ours. */
const strangers = /^(git|git-.*|redis-.*|chrom.*|openssl|ssh-keygen|promtool|tsc)$/;
const secretName = /(KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIAL|HEADER)/;

const originOf = (what: string, words?: readonly string[]): Origin => ({ file, test, what, ...(words && { words }) });

function plantVariable(name: string, value: string): void {
  const where = `${file}, variable ${name}`;
  if (inherited.has(value)) return;
  plantPassword(value, where);
  if (!secretName.test(name)) return;
  if (name.endsWith('_FILE')) plantFile(value, where);
  else if (!/_(URL|PATH|DIR|ENDPOINT|HOST|ID)$/.test(name)) planted(value, where);
}

function plantAuthorization(value: string, where: string): void {
  const [scheme = '', rest] = value.split(' ', 2);
  if (rest === undefined) planted(scheme, where);
  else if (/^bearer$/i.test(scheme)) planted(rest, where);
  else if (/^basic$/i.test(scheme))
    planted(
      Buffer.from(rest, 'base64')
        .toString()
        .replace(/^[^:]*:/, ''),
      where,
    );
}

const credentialHeaders = [
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'proxy-authorization',
  'private-token',
];

function plantHeaders(read: (name: string) => string | null | undefined, where: string): void {
  for (const name of credentialHeaders) {
    const value = read(name);
    if (value) plantAuthorization(value, where);
  }
}

interface Spawned {
  readonly file: string;
  readonly args?: readonly string[];
  readonly envPairs?: readonly string[];
}

/** Hears what a stream is about to hand on, and leaves it as it is. */
function overhear(stream: NodeJS.ReadableStream | null, recording: Recording): void {
  if (stream === null) return;
  const heard = stream as NodeJS.ReadableStream & { push: (chunk: Buffer | null) => boolean };
  const push = heard.push.bind(heard);
  heard.push = (chunk) => {
    if (chunk !== null) recording.add(chunk);
    return push(chunk);
  };
}

function recordChildren(folder: string): void {
  const { prototype } = ChildProcess as unknown as {
    prototype: ChildProcess & { spawn: (options: Spawned) => unknown };
  };
  const { spawn } = prototype;
  prototype.spawn = function (this: ChildProcess, options: Spawned) {
    for (const pair of options.envPairs ?? []) {
      const at = pair.indexOf('=');
      plantVariable(pair.slice(0, at), pair.slice(at + 1));
    }
    const words = options.args ?? [];
    plantFlags(words, file);
    const result = spawn.call(this, options);
    if (strangers.test(basename(options.file))) return result;
    const origin = originOf(
      words
        .slice(0, 3)
        .map((word) => basename(word).slice(0, 40))
        .join(' '),
      words,
    );
    for (const stream of [this.stdout, this.stderr])
      overhear(
        stream,
        record(folder, () => origin),
      );
    const directories = directoriesOf(words);
    if (directories.length > 0)
      this.once('exit', () => {
        const files = record(folder, () => ({ ...origin, what: `files of ${origin.what}` }));
        for (const directory of directories) recordDirectory(directory, files);
      });
    return result;
  };
}

/** Of gateways in this process: the log, which goes where `startWith` is told it may. */
function recordLog(folder: string): void {
  const recording = record(folder, () => originOf('the log of gateways in the process of the test'));
  // The log is written to the descriptor of standard output: that of a test file belongs to the runner.
  Object.defineProperty(process.stdout, 'fd', { value: recording.open() });
}

const pagesOfAdmin = /^\/(metrics|status|console|api\/)/;

/** Answers that gateways give: errors, and all that the admin plane shows. */
function recordAnswers(folder: string): void {
  const recording = record(folder, () => originOf('answers'));
  const ask = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const headers = new Headers(init?.headers ?? request?.headers);
    plantHeaders((name) => headers.get(name), `${file}, a request`);
    const response = await ask(input, init);
    const path = URL.parse(response.url)?.pathname ?? '';
    // Every answer of a data plane has an id; what vendors of a test say is none of ours.
    const isOurs = pagesOfAdmin.test(path) || (response.status >= 400 && response.headers.has('x-request-id'));
    if (!isOurs) return response;
    recording.add(`${response.status} ${path} ${JSON.stringify([...response.headers])}\n`);
    const body = response.headers.get('content-type')?.includes('event-stream') ? undefined : response.clone();
    void body?.text().then(
      (text) => recording.add(`${text}\n`),
      () => undefined,
    );
    return response;
  };
  diagnostics.subscribe('http.server.request.start', (message) => {
    const { headers } = (message as { request: IncomingMessage }).request;
    plantHeaders((name) => headers[name]?.toString(), `${file}, a request to a server of the test`);
  });
}

if (recordings !== undefined && /\.test\.m?[jt]s$/.test(file)) {
  const plantEnvironment = () => {
    for (const [name, value = ''] of Object.entries(process.env)) plantVariable(name, value);
  };
  beforeEach((context) => {
    test = context.name;
    plantEnvironment();
  });
  afterEach(plantEnvironment);
  recordChildren(recordings);
  recordLog(recordings);
  recordAnswers(recordings);
}
