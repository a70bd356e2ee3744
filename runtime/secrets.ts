/** Resolves secret references from the environment or from files. Values leave here only into request headers, never into a message. */
import { readFileSync } from 'node:fs';
import type { SecretReference } from './providers/provider.ts';

export class SecretMissing extends Error {
  readonly reference: SecretReference;

  constructor(reference: SecretReference, problem: string) {
    super(problem);
    this.name = 'SecretMissing';
    this.reference = reference;
  }
}

/** Secrets travel in headers; one that cannot would fail every request instead of the revision that brought it. */
function oneLine(value: string, reference: SecretReference): string {
  const text = value.trim();
  if (!text) throw new SecretMissing(reference, `secret ${reference.$secret} is blank`);
  if (/[\r\n\0]/.test(text))
    throw new SecretMissing(reference, `secret ${reference.$secret} has a line break in it: it must be one line`);
  return text;
}

/** The value behind `reference`: variable `NAME`, else the trimmed content of the file that `NAME_FILE` points at. */
export function readSecret(reference: SecretReference, environment: NodeJS.ProcessEnv = process.env): string {
  const name = reference.$secret;
  const value = environment[name];
  if (value) return oneLine(value, reference);
  const file = environment[`${name}_FILE`];
  if (!file)
    throw new SecretMissing(
      reference,
      `secret ${name} is absent: set ${name}, or ${name}_FILE to a file that holds it`,
    );
  let content: string;
  try {
    content = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new SecretMissing(
      reference,
      `secret ${name}: the file named by ${name}_FILE cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
    );
  }
  if (!content) throw new SecretMissing(reference, `secret ${name}: the file named by ${name}_FILE is empty`);
  return oneLine(content, reference);
}
