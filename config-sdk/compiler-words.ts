/** What the compiler's messages mean for a configuration, with the cure. It knows our types by names that no author has written. */
import { near } from './explain/near.ts';
import { nearProperty } from './compile/property-names.ts';
import { shapeWordings } from './shape-words.ts';
import { handles, inWords, list, notAssignable, plain, type Wording, type Words } from './type-words.ts';

/** What its own words leave open, where they are kept. */
const hints: Readonly<Record<string, string>> = {
  TS2304: 'import it, declare it above, or check its spelling',
  TS2322: 'give a value of the type that is asked for here',
  TS2339: 'check its spelling, and that this object has it',
  TS2345: 'give a value of the type that is asked for here',
  TS2551: 'use the name that is suggested',
  TS2552: 'use the name that is suggested, or import this one',
  TS2739: 'add the missing properties',
  TS2740: 'add the missing properties',
  TS2741: 'add the missing property',
  TS2769: 'give arguments that fit one of the forms of this function',
  TS2820: 'use the word that is suggested',
  TS1294:
    'types are stripped, not compiled: use plain objects and unions instead of enum, namespace or parameter properties',
  TS1484: 'write `import { type Name }`',
  TS1543: "write `with { type: 'json' }` after the path",
  TS2307: 'check the path; relative imports need their file extension',
  TS2834: 'relative imports need their file extension',
  TS2835: 'relative imports need their file extension',
};

/** Of texts that go on as one likes, how they begin. */
const literalsIn = (type: string): string[] =>
  [...type.matchAll(/"([^"]*)"|`(\w+:)\$\{string\}`/g)].map(([, text = '', begin]) =>
    begin === undefined ? text : `${begin}…`,
  );

/** More than these only hide the one that was meant. */
const mostNames = 8;

function oneOf(given: string, type: string, otherwise: string): Words {
  const names = literalsIn(type);
  const meant = given.startsWith('"') ? near(given.slice(1, -1), names) : [];
  const shown = names.length > mostNames && meant.length > 0 ? meant : names.slice(0, mostNames);
  const more = shown.length < names.length || type.includes(' more ...') ? ', …' : '';
  const message =
    names.length === 1
      ? `only ${list(names)} fits here, not ${inWords(given)}`
      : `${inWords(given)} is not one of ${list(shown)}${more}`;
  return { message, hint: meant[0] === undefined ? otherwise : `did you mean '${meant[0]}'?` };
}

const ofAnotherUnit: Words = { message: 'a count in another unit cannot go on', hint: 'leave `was` out' };
function unknownProperty(name: string, type: string, suggested: string | undefined): Words {
  const variables = /^\{ (\w+\??: Value\b.*) \}$/.exec(type)?.[1];
  if (variables !== undefined || type === '{}') {
    const names = [...(variables ?? '').matchAll(/(\w+)\??: Value\b/g)].map(([, each = '']) => each);
    const message = `'${name}' is no variable of this prompt`;
    return { message, hint: names.length > 0 ? `it has ${list(names)}` : 'it has none' };
  }
  if (name === 'unit' && type.includes('FormerQuota')) return ofAnotherUnit;
  const message = `'${name}' is not known here`;
  const meant = suggested ?? nearProperty(name);
  if (meant === name) return { message, hint: 'leave it out: it means nothing beside the rest' };
  if (meant !== undefined) return { message, hint: `did you mean '${meant}'?` };
  return {
    message,
    hint: `check its spelling, or remove it${/\bkind: /.test(type) ? '; options depend on `kind`' : ''}`,
  };
}

const literal = String.raw`(?:"[^"']*"|\`\w+:\$\{string\}\`|\.\.\. \d+ more \.\.\.|undefined)`;
const beginning = String.raw`\`[^$\`]+\$\{string\}\``;
const anyHandle = `(${Object.keys(handles).join('|')})\\b`;

function wrongHandle(given: string, wanted: string): Words {
  const [what = '', by = ''] = handles[wanted] ?? [];
  const hint =
    given === 'string' || given.startsWith('"')
      ? `refer to it by the value that ${by} gave, not by its name`
      : `give what ${by} gave`;
  return { message: `${what} is expected here, not ${inWords(given)}`, hint };
}

function wrongBeginning(given: string, type: string): Words {
  const begins = [...type.matchAll(/`([^`$]+)\$/g)].map(([, each = '']) => each);
  const wanted = begins.map((each) => `'${each}'`).join(' or ');
  if (!given.startsWith('"'))
    return { message: `a text that begins with ${wanted} is expected here`, hint: 'give such a text' };
  const text = given.slice(1, -1);
  const meant = begins.find((each) => text.toLowerCase().startsWith(each.toLowerCase()));
  const whole = meant === undefined ? `${begins.at(-1) ?? ''}${text}` : `${meant}${text.slice(meant.length)}`;
  // Of many, which one is meant cannot be told from the text.
  const hint = meant === undefined && begins.length > 2 ? 'write which of these it is before it' : `write '${whole}'`;
  return { message: `${inWords(given)} does not begin with ${wanted}`, hint };
}

function unboundPrompt(one: string | undefined, several: string): Words {
  const names = one === undefined ? several.replace(/\.$/, '').split(', ') : [one];
  const given = names.filter((each) => /^\w+$/.test(each)).map((each) => `${each}: …`);
  return {
    message: `this prompt needs values for ${names.join(', ')}`,
    hint: `write .with({ ${given.join(', ')} }) after it`,
  };
}

/** The first that fits speaks. */
const wordings: readonly Wording[] = [
  // The types of `fitting.ts` say why a quota does not fit beside how one would that does.
  [
    /^Type 'Quota<.*?' is not assignable to type 'Quota<[^']*\| \{ "([^"]+)": "([^"]+)"; \}/,
    (why = '', rest = '') => ({
      message: `${why} ${rest}`,
      hint: why.startsWith('it sends')
        ? 'leave it out here, or have it send calls to a model for the same'
        : "write prices beside its contextWindow, with '0' where nothing is billed",
    }),
  ],
  [
    new RegExp(`${notAssignable}'SecretReference\\b`),
    () => ({
      message: 'a secret is expected here, not the value itself',
      hint: "write secret('NAME'), and put the value into variable NAME where the gateway runs",
    }),
  ],
  [
    new RegExp(`${notAssignable}'\`\\$\\{number\\}d\` \\| `),
    (given = '') => ({
      message: `${inWords(given)} is no duration`,
      hint: "write a number and its unit as a text, such as '10s' (ms, s, m, h or d)",
    }),
  ],
  [
    new RegExp(`${notAssignable}'CalendarWindow \\| `),
    (given = '') => ({
      message: `${inWords(given)} is no window`,
      hint: "write '1h', { sliding: '1h' } or { calendar: 'month', zone: 'Europe/Berlin' }",
    }),
  ],
  [
    new RegExp(`${notAssignable}'\`\\$\\{number\\}\`'`),
    (given = '') => ({
      message: `${inWords(given)} is no decimal number as a text`,
      hint: "write it in quotes, such as '12.50'",
    }),
  ],
  [
    /^Type 'Prompt<.* is not assignable to type 'BoundPrompt \|.*(?:Property '(\w+)' is missing in type '\{\}'|missing the following properties from type '.*': (.+))/,
    (one, several = '') => unboundPrompt(one, several),
  ],
  // Of a default, the last line names the word.
  [
    /^Type '.+ is not assignable to type 'Value<.* Type '("[^"]*")' is not assignable to type '("[^']*)'/,
    (given = '', names = '') => oneOf(given, names, 'use one of the choices, or add it to those of the prompt'),
  ],
  [
    new RegExp(`${notAssignable}'Value<("[^']*)>'`),
    (given = '', names = '') => oneOf(given, names, 'use one of the choices, or add it to those of the prompt'),
  ],
  [
    new RegExp(`${notAssignable}'(${beginning}(?: \\| ${beginning})*)'`),
    (given = '', type = '') => wrongBeginning(given, type),
  ],
  [
    new RegExp(`${notAssignable}'(${literal}(?: \\| ${literal})*)'`),
    (given = '', names = '') => oneOf(given, names, 'use a word that fits'),
  ],
  [new RegExp(`${notAssignable}'${anyHandle}[^']*'`), (given = '', wanted = '') => wrongHandle(given, wanted)],
  [
    new RegExp(`${notAssignable}'(${Object.keys(plain).join('|')})(?: \\| undefined)?'`),
    (given = '', wanted = '') => ({
      message: `${plain[wanted]} is expected here, not ${inWords(given)}`,
      hint: 'give a value of that type',
    }),
  ],
  [
    new RegExp(`^Type '(.+?)' is missing the following properties from type '${anyHandle}`),
    (given = '', wanted = '') => wrongHandle(given, wanted),
  ],
  [
    /^Type '\[\]' is not assignable to type .* Source has 0 element\(s\)/,
    () => ({ message: 'at least one is needed here', hint: 'add one' }),
  ],
  ...shapeWordings,
  [
    /^Property '(\w+)' is missing in type '.*' but required in type '\{ .*: Value\b/,
    (name) => ({ message: `the prompt's variable '${name}' has no value`, hint: 'give every variable one value' }),
  ],
  [
    /^Argument of type .* Property '(\w+)' is missing in type /,
    (name) => ({ message: `'${name}' is missing`, hint: 'add the property' }),
  ],
  [/^Property '(\w+)' is missing in type /, (name) => ({ message: `'${name}' is missing`, hint: 'add the property' })],
  [
    /^Type '.*' is missing the following properties from type '.*': (.+?)\.?$/,
    (names = '') => ({ message: `${list(names.split(', '))} are missing`, hint: 'add the properties' }),
  ],
  [
    /^Property '(\w+)' does not exist on type '\{ header: .*\bmetadata: /,
    (name) => ({
      message: `'from' has no '${name}'`,
      hint: "take values from.header('name') or from.metadata('name') of the request",
    }),
  ],
  [
    /^Object literal may only specify known properties, (?:and|but) '"?([\w.-]+)"?' does not exist in type '(.+)'\.(?: Did you mean to write '(\w+)'\?)?/,
    (name = '', type = '', suggested) => unknownProperty(name, type, suggested),
  ],
];

/** `text` is the whole message, in one line: what counts often stands at its end. */
export function inPlainWords(code: string, text: string): Words {
  for (const [pattern, say] of wordings) {
    const found = pattern.exec(text);
    if (found) return say(...found.slice(1));
  }
  return { hint: hints[code] };
}
