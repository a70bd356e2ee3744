/** Speaks to the admin plane of a running gateway, for the commands of those who operate it. */
import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { StatusReport } from '@headgate/runtime/serve';
import { EnvironmentFault } from '../findings.ts';

export const defaultAddress = 'http://127.0.0.1:9090';

export const tokenFileOption = (): Option => new Option('--token-file <file>', 'token of the admin plane');

export const isAddress = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
export const noAddress = (text: string): string => `'${text}' is no http(s) address, such as ${defaultAddress}`;

export interface AdminPlane {
  readonly url: string;
  readonly tokenFile?: string | undefined;
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const { code = 'error' } = cause as NodeJS.ErrnoException;
    throw new EnvironmentFault(`--token-file ${file} cannot be read (${code})`, { cause });
  }
}

/** Throws `EnvironmentFault` when there is no answer to be had. */
export async function ask({ url, tokenFile }: AdminPlane, { method, path, body }: Question): Promise<Response> {
  const asked = new URL(path, url);
  const token = tokenFile === undefined ? undefined : readToken(tokenFile);
  let response: Response;
  try {
    response = await fetch(asked, {
      method,
      // A token is for whoever was named.
      redirect: 'manual',
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    throw new EnvironmentFault(
      `${asked.origin} does not answer: is the gateway running, and is this its admin address?`,
      { cause },
    );
  }
  if (response.status === 401)
    throw new EnvironmentFault(`${asked.origin} wants a token: give ${token ? 'another' : 'one with'} --token-file`);
  return response;
}

async function parsed<Document>(response: Response, origin: string): Promise<Document> {
  try {
    return (await response.json()) as Document;
  } catch (cause) {
    throw new EnvironmentFault(`${origin} gave no JSON: is this the admin address of a gateway?`, { cause });
  }
}

export async function askStatus(plane: AdminPlane): Promise<StatusReport> {
  const response = await ask(plane, { method: 'GET', path: '/status' });
  const { origin } = new URL(plane.url);
  if (!response.ok) throw new EnvironmentFault(`${origin} answered ${response.status}`);
  return parsed<StatusReport>(response, origin);
}

/** Returns why the order was refused, in words; undefined when it is carried out. */
export async function order(plane: AdminPlane, question: Question): Promise<string | undefined> {
  const response = await ask(plane, question);
  if (response.ok) return undefined;
  const { origin } = new URL(plane.url);
  // What the gateway itself says no to; anything else is no answer of a gateway that is well.
  if (response.status !== 400 && response.status !== 409)
    throw new EnvironmentFault(`${origin} answered ${response.status} to ${question.path}`);
  const { detail } = await parsed<{ detail?: string }>(response, origin);
  return detail ?? `refused with status ${response.status}`;
}
