/** What the compiler calls the values and types of a configuration, in words, and how its sentences begin. */

export interface Words {
  /** Absent where the compiler's own message will do. */
  readonly message?: string;
  readonly hint?: string | undefined;
}

/** The types that `handles.ts` declares, in words, and the functions that give such values. */
export const handles: Readonly<Record<string, readonly [what: string, by: string]>> = {
  AnyPrompt: ['a prompt', 'prompt()'],
  BoundPrompt: ['a prompt', 'prompt()'],
  Consumer: ['a consumer', 'consumer()'],
  ContextPolicy: ['a context policy', 'contextPolicy()'],
  Group: ['a group', 'weighted(), ordered() or another of its kind'],
  Invariant: ['an invariant', 'invariant()'],
  Issuer: ['an issuer', 'issuer()'],
  Leg: ['a target', '.target() of a provider'],
  Model: ['a model', 'model()'],
  Policy: ['a policy', 'policy()'],
  Prompt: ['a prompt', 'prompt()'],
  Provider: ['a provider', 'provider()'],
  Quota: ['a quota', 'quota()'],
  Route: ['a route', 'route()'],
  SecretReference: ['a secret', 'secret()'],
  Target: ['a target', '.target() of a provider'],
  Upstream: ['an upstream', 'upstream()'],
};
export const plain: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'a truth value',
  null: 'null',
};

export function inWords(type: string): string {
  const [name = ''] = /^\w+/.exec(type) ?? [];
  if (type.startsWith('"')) return `'${type.slice(1, -1)}'`;
  return handles[name]?.[0] ?? plain[type] ?? 'something else';
}

export const list = (names: readonly string[]): string => names.map((each) => `'${each}'`).join(', ');
export type Wording = readonly [RegExp, (...groups: (string | undefined)[]) => Words];

export const notAssignable = String.raw`^(?:Type|Argument of type) '((?:(?!' is not ).)+)' is not assignable to (?:type|parameter of type) `;
