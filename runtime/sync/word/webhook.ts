/**
 * A word as a webhook. Signed after Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks,
 * spec/standard-webhooks.md): HMAC-SHA256 over `id.timestamp.body`; the id stays the same over all tries of one message,
 * the timestamp is that of the try; a receiver checks any one of the signatures, which is how secrets are rotated.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Letter } from './delivery.ts';
import type { Word } from './word.ts';

export interface Webhook {
  readonly url: string;
  /** Secrets to sign with, one a line: `whsec_` and base64. */
  readonly secretFile: string | undefined;
}

const fewestBytes = 24;
const mostBytes = 64;

/** Throws with the place and the cure, and without the secret. */
export function secretsFrom(text: string, file: string): readonly Buffer[] {
  const lines = text.split('\n').flatMap((line) => line.trim() || []);
  const secrets = lines.map((line) => Buffer.from(/^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(line)?.[1] ?? '', 'base64'));
  const isSound = ({ byteLength }: Buffer) => byteLength >= fewestBytes && byteLength <= mostBytes;
  if (secrets.length === 0 || !secrets.every(isSound))
    throw new Error(
      `the webhook secret file ${file} must hold whsec_ and ${fewestBytes} to ${mostBytes} bytes in base64, one secret a line: echo "whsec_$(openssl rand -base64 32)" > ${file}`,
    );
  return secrets;
}

async function readSecrets(file: string): Promise<readonly Buffer[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new Error(`the webhook secret file ${file} cannot be read (${code}): put it back`, { cause: error });
  }
  return secretsFrom(text, file);
}

/** The body: `type` and `timestamp` as the standard has them, the word itself as `data`. */
export const webhookBody = (word: Word): string =>
  JSON.stringify({ type: `revision.${word.event}`, timestamp: word.time, data: word });

export function webhookLetter({ url, secretFile }: Webhook, word: Word): Letter {
  const id = `msg_${randomUUID()}`;
  const body = webhookBody(word);
  return {
    about: { word: word.event, artifact: word.artifact, message: id },
    write: async () => {
      const secrets = secretFile === undefined ? [] : await readSecrets(secretFile);
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const signatures = secrets.map(
        (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
      );
      return {
        url,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'headgate',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          ...(signatures.length > 0 ? { 'webhook-signature': signatures.join(' ') } : {}),
        },
        body,
      };
    },
  };
}
