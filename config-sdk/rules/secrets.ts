/** Credentials in the configuration: found by their shape, or by the name of the field and how random the text is. */
import { isObject, type Place } from '../compile/places.ts';
import type { LoadedDeclaration } from '../load/document.ts';
import type { Problem, Rule } from './rule.ts';
import { askTexts } from './texts.ts';

const shapes: readonly (readonly [RegExp, string])[] = [
  [/\bsk-ant-[\w-]{16,}/, 'an Anthropic key'],
  [/\bsk-(?:proj-|svcacct-|or-v1-)?(?=[\w-]*\d)[\w-]{16,}/, 'an OpenAI-style key'],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, 'an AWS access key'],
  [/\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,})/, 'a GitHub token'],
  [/\bglpat-[\w-]{20,}/, 'a GitLab token'],
  [/\bxox[a-z]-[\w-]{10,}/, 'a Slack token'],
  [/\bAIza[\w-]{30,}/, 'a Google API key'],
  [/\bhg_[0-9A-Za-z]{43}\b/, 'a Headgate key'],
  [/\bBearer\s+(?=\S*\d)[\w.~+/=-]{16,}/i, 'a bearer token'],
  [/\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/, 'a signed token'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key'],
];

const tellingName = /(?:key|token|secret|password|authorization|credential)s?$/i;

/** Headers that carry nothing but credentials; any text in one is a secret, however simple. */
const credentialHeader = /^(?:authorization|proxy-authorization|x-api-key|api-key|cookie)$/i;

/** Bits per character: words stay below 3.5 to 4, random base64 and hex of this length lie above. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, count) => bits - (count / text.length) * Math.log2(count / text.length), 0);
}

interface Shape {
  readonly code: 'secret_literal' | 'secret_suspected';
  readonly what: string;
}

/** A word of this many bits per character, in upper and lower case and with digits, is neither language nor hex. */
const isRandom = (word: string): boolean =>
  /^[\w+=-]{32,}$/.test(word) && /\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word) && entropy(word) > 4.2;

/** No credential is shorter than any of the shapes; and what no such word stands in has none that is random. */
const shortestShape = 15;
const longWord = /[\w+=-]{32}/;

function shapeOf(value: string, name: string): Shape | undefined {
  if (value.length < shortestShape) return undefined;
  const known = shapes.find(([shape]) => shape.test(value))?.[1];
  if (known) return { code: 'secret_literal', what: `holds what looks like ${known}` };
  const random = value.length >= 32 && !/\s|^https?:|^sha256:/.test(value) && /\d/.test(value) && entropy(value) > 3.3;
  const found =
    (random && tellingName.test(name)) || (longWord.test(value) && value.split(/[\s'"`,;()<>]+/).some(isRandom));
  return found ? { code: 'secret_suspected', what: 'holds a text as random as a credential' } : undefined;
}

/** Takes credentials out of a text that will be shown. */
export function redact(text: string): string {
  return shapes.reduce(
    (clean, [shape]) => clean.replaceAll(new RegExp(shape, shape.flags.includes('i') ? 'gi' : 'g'), '***'),
    text,
  );
}

export const secretLiterals: Rule = ({ declarations }) =>
  declarations.flatMap((declaration, index) =>
    secretsIn(declaration).map(({ path, code, what }): Problem => {
      const subject =
        declaration.sort === 'bound-prompt'
          ? `prompt '${declaration.id}'`
          : `${declaration.sort.replace('-', ' ')} '${declaration.id}'`;
      return {
        code,
        place: { declaration: index, path: path.at(-1) === '$secret' ? path.slice(0, -1) : path },
        message: `${subject} ${what}`,
      };
    }),
  );

interface Credential extends Shape {
  readonly path: Place['path'];
  readonly text: string;
}

/** Asked for twice: as problems, and as what no message may show. */
const knownSecrets = new WeakMap<LoadedDeclaration, readonly Credential[]>();

function secretsIn(declaration: LoadedDeclaration): readonly Credential[] {
  const found = knownSecrets.get(declaration) ?? findSecrets(declaration);
  knownSecrets.set(declaration, found);
  return found;
}

function findSecrets({ sort, spec }: LoadedDeclaration): Credential[] {
  const found = askTexts(spec, (text, name, trail): Omit<Credential, 'path'> | undefined => {
    // Keys of consumers have a rule of their own.
    if (sort === 'consumer' && trail[0] === 'keys') return undefined;
    // The name of a secret is no secret, unless it looks like one by itself.
    const header = trail.length === 2 && trail[0] === 'headers' && credentialHeader.test(name);
    const shape = shapeOf(text, name === '$secret' ? '' : name);
    // Whatever stands in such a header is one, and there is no reason to accept it.
    if (header && shape?.code !== 'secret_literal')
      return { text, code: 'secret_literal', what: 'holds what looks like a credential' };
    return shape && { text, ...shape };
  });
  return found.map(({ path, answer }) => ({ path, ...answer }));
}

/** Every text of the configuration that must not be shown. */
export function secretTexts(declarations: readonly LoadedDeclaration[]): string[] {
  const keys = declarations.flatMap(({ sort, spec }): unknown[] =>
    sort === 'consumer' && isObject(spec) && Array.isArray(spec['keys']) ? spec['keys'] : [],
  );
  const hashes = keys.map((key) => (isObject(key) ? key['hash'] : key));
  const plain = hashes.filter((key): key is string => typeof key === 'string' && !key.startsWith('sha256:'));
  return [...plain, ...declarations.flatMap((each) => secretsIn(each).map(({ text }) => text))];
}

/** Credentials of a known shape anywhere in a source text: in comments and in values that nothing uses, too. */
export function* credentialsIn(source: string): Generator<{ offset: number; text: string; what: string }> {
  const told: { from: number; to: number }[] = [];
  for (const [shape, what] of shapes)
    for (const match of source.matchAll(new RegExp(shape, `${shape.flags}g`))) {
      const [from, to] = [match.index, match.index + match[0].length];
      // One text may have two shapes; the narrower one comes first.
      if (told.some((other) => from < other.to && other.from < to)) continue;
      told.push({ from, to });
      yield { offset: from, text: match[0], what };
    }
}
