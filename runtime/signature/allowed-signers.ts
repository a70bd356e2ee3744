/**
 * Who may sign: the file format of ssh-keygen(1), ALLOWED SIGNERS. One key a line: principals, options, key type, key, and a
 * comment that nobody reads. `ssh-keygen` passes over a line it cannot read; here it fails the file, because a key that was
 * meant to be there and is not shows only when it is needed.
 */
import { ArtifactRefused } from '../artifact-refused.ts';
import { matchesPatternList } from './pattern-list.ts';
import { readPublicKey, type PublicKey } from './public-key.ts';
import { timestampOf } from './timestamp.ts';
import { Malformed } from './wire.ts';

export interface AllowedSigner {
  /** As the file has it; with several, the first. */
  readonly principal: string;
  readonly key: PublicKey;
  /** Pattern list; undefined: any namespace. */
  readonly namespaces: string | undefined;
  /** Unix milliseconds. */
  readonly validAfter: number | undefined;
  readonly validBefore: number | undefined;
}

const maxBytes = 256 * 1024;
const isKeyType = /^(ssh|ecdsa|sk)-/;
/** A name and, behind `=`, a value in quotes in which `\"` is a quote. */
const option = /^([A-Za-z-]+)(?:=("(?:\\"|\\(?!")|[^"\\])*"))?(,|$)/;
const valueOptions = ['namespaces', 'valid-after', 'valid-before'];

/** The next field, up to white space that is not in quotes, and what follows it. */
function splitField(text: string): [field: string, rest: string] {
  const field = /^(?:"(?:\\"|\\(?!")|[^"\\])*"|[^\s"])+/.exec(text)?.[0] ?? '';
  const rest = text.slice(field.length);
  if (rest !== '' && !/^\s/.test(rest)) throw new Malformed('a quote is not closed');
  return [field, rest.trimStart()];
}

function readOptions(written: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let left = written;
  while (left !== '') {
    const [whole, name = '', quoted, comma] = option.exec(left) ?? [];
    const key = name.toLowerCase();
    if (key === 'cert-authority')
      throw new Malformed(
        'cert-authority is not taken: certificates are not followed; list the keys that sign themselves',
      );
    if (whole === undefined || !valueOptions.includes(key) || quoted === undefined)
      throw new Malformed(
        `'${left.split(/[=,]/)[0]}' is no option here; known are ${valueOptions.map((known) => `${known}="…"`).join(', ')}`,
      );
    if (found.has(key)) throw new Malformed(`${key} stands twice`);
    found.set(key, quoted.slice(1, -1).replaceAll('\\"', '"'));
    left = left.slice(whole.length);
    if (comma === ',' && left === '') throw new Malformed('the options end with a comma');
  }
  return found;
}

function readKey(type: string, encoded: string): PublicKey {
  if (type.includes('-cert-v')) throw new Malformed('certificates are not taken; list the key itself');
  const blob = Buffer.from(encoded, 'base64');
  if (encoded === '' || blob.toString('base64') !== encoded) throw new Malformed('the key is not base64');
  const key = readPublicKey(blob);
  if (key.type !== type) throw new Malformed(`the key is of type ${key.type}, and the line says ${type}`);
  return key;
}

function readPrincipal(field: string): string {
  const written = /^"(.*)"$/.exec(field)?.[1] ?? field;
  const principal = written.split(',').find((pattern) => !pattern.startsWith('!'));
  if (!principal) throw new Malformed('its principals name nobody');
  if (/\p{C}/u.test(written)) throw new Malformed('its principals have characters that cannot be shown');
  return principal;
}

function readLine(line: string): AllowedSigner {
  const [principals, afterPrincipals] = splitField(line);
  const principal = readPrincipal(principals);
  const [first, afterFirst] = splitField(afterPrincipals);
  const hasOptions = !isKeyType.test(first);
  const [type, afterType] = hasOptions ? splitField(afterFirst) : [first, afterFirst];
  if (!isKeyType.test(type)) throw new Malformed('no key stands behind the principals and options');
  const options = readOptions(hasOptions ? first : '');
  const [validAfter, validBefore] = (['valid-after', 'valid-before'] as const).map((name) => {
    const written = options.get(name);
    return written === undefined ? undefined : timestampOf(written, name);
  });
  if (validAfter !== undefined && validBefore !== undefined && validBefore <= validAfter)
    throw new Malformed('valid-before is not after valid-after');
  const key = readKey(type, /^\S*/.exec(afterType)?.[0] ?? '');
  return { principal, key, namespaces: options.get('namespaces'), validAfter, validBefore };
}

/** Throws `ArtifactRefused` that names the line. */
export function parseAllowedSigners(text: string): readonly AllowedSigner[] {
  const refuse = (problem: string) => new ArtifactRefused('signature', `the signers file ${problem}`);
  if (text.length > maxBytes) throw refuse(`is larger than ${maxBytes} bytes`);
  const signers = text.split('\n').flatMap((written, index) => {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) return [];
    try {
      return [readLine(line)];
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw refuse(`is wrong in line ${index + 1}: ${error.message}`);
    }
  });
  if (signers.length === 0) throw refuse('names no key: add a line `principal ssh-ed25519 AAAA…`');
  return signers;
}

/** Why this line does not let its key sign for `namespace` at `now`; undefined when it does. */
export function objection(
  { namespaces, validAfter, validBefore }: AllowedSigner,
  namespace: string,
  now: number | 'any',
): string | undefined {
  if (namespaces !== undefined && !matchesPatternList(namespace, namespaces))
    return `is allowed for namespaces "${namespaces}" only; add ${namespace} to them`;
  const shown = (at: number): string => new Date(at).toISOString().replace('.000', '');
  if (now === 'any') return undefined;
  if (validAfter !== undefined && now < validAfter) return `is valid from ${shown(validAfter)} only`;
  if (validBefore !== undefined && now > validBefore)
    return `expired at ${shown(validBefore)}; publish with a key that is valid`;
  return undefined;
}
