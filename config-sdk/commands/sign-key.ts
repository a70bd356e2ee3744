/** The key that artifacts are signed with, as an option of the commands that make them. */
import { Option } from 'commander';
import { signKeyVariable, surroundings } from '../cli/environment.ts';
import { readSigningKey, type SigningKey } from '../signing/sign.ts';

export const signKeyOption = (): Option =>
  new Option(
    '--sign-key <file>',
    `private key to sign with: OpenSSH or PEM, without a passphrase (or ${signKeyVariable})`,
  );

/** The key to sign with, if one was named. Throws `EnvironmentFault`. */
export function signingKeyFor({ signKey }: { readonly signKey?: string }): SigningKey | undefined {
  const file = signKey ?? surroundings().signKeyFile;
  return file === undefined ? undefined : readSigningKey(file);
}
