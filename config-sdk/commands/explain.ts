/** `headgate explain`: the decisions of one request, from a file or from a running gateway's memory. */
import { complain } from '../cli/complain.ts';
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import {
  openDecider,
  readRequest,
  RequestProblem,
  type AskedRequest,
  type RequestTrace,
} from '@headgate/runtime/decide';
import { check, type CheckResult } from '../check.ts';
import { compileCommit } from '../compile-commit.ts';
import { explain } from '../explain/explain.ts';
import { explanationInWords, pastRequestInWords } from '../explain/words.ts';
import { commitOf, topLevel } from '../git.ts';
import { EnvironmentFault } from '../findings.ts';
import { ask, defaultAddress, isAddress, noAddress, tokenFileOption } from './admin-plane.ts';
import { exitCodes, once, show, type CommandEntry } from './command.ts';

interface Options {
  readonly dir: string;
  readonly commit?: string;
  readonly json?: boolean;
  readonly id?: string;
  readonly url: string;
  readonly tokenFile?: string;
  readonly consumer?: string;
  readonly key?: string;
  readonly claims?: string;
  readonly issuer?: string;
  readonly address?: string;
  readonly at?: string;
}

const saidFields = ['consumer', 'key', 'claims', 'issuer', 'address', 'at'] as const;

function fail(code: number, ...lines: readonly string[]): void {
  complain(...lines);
  process.exitCode = code;
}

const write = (document: object, words: string, { json }: Options): void =>
  void process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : words);

async function explainPast(id: string, options: Options): Promise<void> {
  const { url } = options;
  if (!isAddress(url)) return fail(exitCodes.usage, noAddress(url));
  const answer = await ask(options, { method: 'GET', path: `/api/requests/${encodeURIComponent(id)}` });
  if (answer.status === 404)
    return fail(exitCodes.input, `${url} remembers no request ${id}: it is too old, or another replica had it`);
  if (!answer.ok) throw new EnvironmentFault(`${url} answered ${answer.status}`);
  const request = (await answer.json()) as RequestTrace;
  write(request, pastRequestInWords(request), options);
}

type Compiled = Pick<CheckResult, 'findings' | 'redact' | 'snapshot' | 'unproved'> & { readonly directory: string };

/** Undefined when there is no such commit. */
async function compiled({ dir, commit: name }: Options): Promise<Compiled | undefined> {
  if (name === undefined) return { ...(await check(dir, { noise: 'stderr' })), directory: dir };
  const repository = await topLevel(dir);
  const commit = await commitOf(repository, name);
  if (commit === undefined) return undefined;
  const { snapshot, ...rest } = await compileCommit({ repository, commit });
  return { ...rest, snapshot };
}

/** Throws `EnvironmentFault`. */
function textOf(file: string | 0, describes: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    const name = file === 0 ? '-' : file;
    throw new EnvironmentFault(`${name} cannot be read (${code}): name a file that describes ${describes}`, {
      cause: error,
    });
  }
}

/** JSON, or a file of it. What is in it is judged with the rest of the request. */
function claimsIn(text: string): AskedRequest['claims'] {
  const json = text.trimStart().startsWith('{') ? text : textOf(text, 'the claims of a token');
  try {
    return JSON.parse(json) as AskedRequest['claims'];
  } catch (error) {
    throw new RequestProblem([`--claims is not JSON: ${(error as Error).message}`]);
  }
}

/** Throws `RequestProblem` or `EnvironmentFault`. */
function readAsked(file: string, { consumer, key, claims, issuer, address, at }: Options): AskedRequest {
  const text = textOf(file === '-' ? 0 : file, 'a request');
  const said = { consumer, key, issuer, address, at, ...(claims !== undefined && { claims: claimsIn(claims) }) };
  return readRequest(text, Object.fromEntries(Object.entries(said).filter(([, each]) => each !== undefined)));
}

async function explainFile(file: string, options: Options): Promise<void> {
  try {
    const asked = readAsked(file, options);
    const result = await compiled(options);
    if (!result) return fail(exitCodes.usage, `there is no commit '${options.commit}' here`);
    const snapshot = result.snapshot ?? result.unproved;
    if (!snapshot) {
      show(result, result.directory, { format: 'pretty', aside: true });
      return fail(exitCodes.input, 'the configuration has errors: nothing is decided under it');
    }
    const explanation = await explain(await openDecider(snapshot), asked);
    write(explanation, result.redact(explanationInWords(explanation)), options);
  } catch (error) {
    if (!(error instanceof RequestProblem)) throw error;
    fail(exitCodes.input, ...error.problems.map((problem) => `${file}: ${problem}`));
  }
}

const ofGateway = { url: '--url', tokenFile: '--token-file' };
const ofConfiguration = { dir: '--dir', commit: '--commit' };

/** What is wrong with who is said to ask: live nobody is shown in two ways, or by half of one. */
function mistakeInCaller({ consumer, key, claims, issuer }: Options): string | undefined {
  if (key !== undefined && claims !== undefined) return '--key and --claims: a key has no claims, give one of them';
  if (issuer !== undefined && consumer !== undefined)
    return '--issuer and --consumer: whom a token of the issuer stands for is told by its claims, give one of them';
  if (key !== undefined && consumer === undefined) return '--key goes with --consumer, whose key it is';
  if (issuer !== undefined && claims === undefined) return '--issuer goes with --claims, which its token has';
  return undefined;
}

function mistakeIn(
  file: string | undefined,
  options: Options,
  isGiven: (option: keyof Options) => boolean,
): string | undefined {
  const { id } = options;
  if ((file === undefined) === (id === undefined)) return 'give the file of a request, or --id of a past one';
  const stray = (names: Readonly<Record<string, string>>): string | undefined =>
    Object.entries(names).find(([name]) => isGiven(name as keyof Options))?.[1];
  if (id === undefined) {
    const outside = stray(ofGateway);
    if (outside !== undefined) return `${outside} goes with --id: a file is decided here, and no gateway is asked`;
    return mistakeInCaller(options);
  }
  const said = saidFields.find((name) => options[name] !== undefined);
  if (said !== undefined) return `--${said} goes with the file of a request: who asked a past one is known`;
  const inside = stray(ofConfiguration);
  if (inside !== undefined) return `${inside} goes with the file of a request: a past one is told by the gateway`;
  return undefined;
}

export const explainCommand: CommandEntry = (program) => {
  program
    .command('explain')
    .argument(
      '[request]',
      'file of a request, or - for standard input: {"method", "path", "host", "headers", "body", "consumer"}',
    )
    .summary('every decision about one request, and the line that made it')
    .description(
      'Decide one request offline, with the code that serves live: no secret is needed and no provider is called.\nWith --id, tell the same of a request that a running gateway had.',
    )
    .option('--dir <dir>', 'directory of gateway.config.ts', '.')
    .option('--commit <rev>', 'under the configuration of this commit, not of the working tree', once)
    .option('--consumer <name>', 'ask as this consumer, whoever the file names', once)
    .option('--key <hash>', 'with the one of its keys whose hash begins so', once)
    .option('--claims <json>', 'with the claims of a token: JSON, or a file of it; whom they stand for is told', once)
    .option('--issuer <name>', 'whose token it is; without it, whom `iss` among the claims names', once)
    .option('--address <ip>', 'from this address; without it, from where the key may be used', once)
    .option('--at <time>', 'at this moment, such as 2027-01-31T17:00:00Z, or this day', once)
    .option('--id <id>', 'x-request-id of a past request', once)
    .option('--url <url>', 'admin address of the gateway that had it', defaultAddress)
    .addOption(tokenFileOption())
    .option('--json', 'one JSON document')
    .action(async (file: string | undefined, options: Options, command: Command) => {
      const mistake = mistakeIn(file, options, (name) => command.getOptionValueSource(name) === 'cli');
      if (mistake !== undefined) return fail(exitCodes.usage, mistake);
      await (options.id === undefined ? explainFile(file ?? '', options) : explainPast(options.id, options));
    });
};
