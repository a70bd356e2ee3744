/** `headgate explain`: the decisions of one request, from a file or from a running gateway's memory. */
import { complain } from '../cli/complain.ts';
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
import { exitCodes, show, type CommandEntry } from './command.ts';

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
    .option('--commit <rev>', 'under the configuration of this commit, not of the working tree')
    .option('--consumer <name>', 'ask as this consumer, whoever the file names')
    .option('--key <hash>', 'with the one of its keys whose hash begins so')
    .option('--claims <json>', 'with the claims of a token: JSON, or a file of it; whom they stand for is told')
    .option('--issuer <name>', 'whose token it is; without it, whom `iss` among the claims names')
    .option('--address <ip>', 'from this address; without it, from where the key may be used')
    .option('--at <time>', 'at this moment, such as 2027-01-31T17:00:00Z, or this day')
    .option('--id <id>', 'x-request-id of a past request')
    .option('--url <url>', 'admin address of the gateway that had it', defaultAddress)
    .addOption(tokenFileOption())
    .option('--json', 'one JSON document')
    .action(async (file: string | undefined, options: Options) => {
      if ((file === undefined) === (options.id === undefined))
        return fail(exitCodes.usage, 'give the file of a request, or --id of a past one');
      const said = saidFields.find((name) => options[name] !== undefined);
      if (options.id !== undefined && said !== undefined)
        return fail(exitCodes.usage, `--${said} goes with the file of a request: who asked a past one is known`);
      await (options.id === undefined ? explainFile(file ?? '', options) : explainPast(options.id, options));
    });
};
