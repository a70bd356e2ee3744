/** Credentials in the configuration: found by their shape, or by the name of the field and how random the text is. */
import { isObject, type Place } from '../compile/places.ts';
import type { LoadedDeclaration } from '../load/document.ts';
import type { Problem, Rule } from './rule.ts';
import { textsIn } from './texts.ts';

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

function shapeOf(value: string, name: string): string | undefined {
  const known = shapes.find(([shape]) => shape.test(value))?.[1];
  if (known) return known;
  const random = value.length >= 32 && !/\s|^https?:|^sha256:/.test(value) && /\d/.test(value) && entropy(value) > 3.3;
  return random && tellingName.test(name) ? 'a credential' : undefined;
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
    secretsIn(declaration).map(({ path, what }): Problem => {
      const subject =
        declaration.sort === 'bound-prompt'
          ? `prompt '${declaration.id}'`
          : `${declaration.sort.replace('-', ' ')} '${declaration.id}'`;
      return {
        code: 'secret_literal',
        place: { declaration: index, path: path.at(-1) === '$secret' ? path.slice(0, -1) : path },
        message: `${subject} holds what looks like ${what}`,
      };
    }),
  );

function secretsIn({ sort, spec }: LoadedDeclaration): { path: Place['path']; text: string; what: string }[] {
  return [...textsIn(spec)].flatMap(({ text, path, name }) => {
    // Keys of consumers have a rule of their own.
    if (sort === 'consumer' && path[0] === 'keys') return [];
    // The name of a secret is no secret, unless it looks like one by itself.
    const header = path.length === 2 && path[0] === 'headers' && credentialHeader.test(name);
    const what = shapeOf(text, name === '$secret' ? '' : name) ?? (header ? 'a credential' : undefined);
    return what ? [{ path, text, what }] : [];
  });
}

/** Every text of the configuration that must not be shown. */
export function secretTexts(declarations: readonly LoadedDeclaration[]): string[] {
  const keys = declarations.flatMap(({ sort, spec }): unknown[] =>
    sort === 'consumer' && isObject(spec) && Array.isArray(spec['keys']) ? spec['keys'] : [],
  );
  const plain = keys.filter((key): key is string => typeof key === 'string' && !key.startsWith('sha256:'));
  return [...plain, ...declarations.flatMap((each) => secretsIn(each).map(({ text }) => text))];
}
