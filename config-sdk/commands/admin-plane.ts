/** How commands ask the admin plane of a running gateway. */
import { readFileSync } from 'node:fs';
import { EnvironmentFault } from '../findings.ts';

export const usualAdminUrl = 'http://127.0.0.1:9090';

export const isAddress = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** The answer's document; undefined for 404. Throws `EnvironmentFault`. */
export async function askAdmin(url: string, path: string, tokenFile: string | undefined): Promise<unknown> {
  const token = tokenFile === undefined ? undefined : readToken(tokenFile);
  const asked = new URL(path, url);
  let response: Response;
  try {
    response = await fetch(asked, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    throw new EnvironmentFault(
      `${asked.origin} does not answer: is the gateway running, and is this its admin address?`,
      { cause },
    );
  }
  if (response.status === 404) return undefined;
  if (response.status === 401) throw new EnvironmentFault(`${asked.origin} wants a token: give --token-file`);
  if (!response.ok) throw new EnvironmentFault(`${asked.origin} answered ${response.status}`);
  return response.json();
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new EnvironmentFault(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
