/** What `check` reports: one shape for every problem, and the table of all problems that this package knows. */

export type Severity = 'error' | 'warning';

/** A place in a file of the repository. Lines and columns count from 1; the file is relative, with forward slashes. */
export interface FilePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Finding extends FilePosition {
  readonly severity: Severity;
  /** A key of `findingTable`, or a code of the TypeScript compiler such as `TS2322`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

interface FindingEntry {
  readonly severity: Severity;
  /** One line for the reference page. */
  readonly meaning: string;
  /** What to do about it; a finding may bring a better one of its own. */
  readonly hint: string;
}

const error = (meaning: string, hint: string): FindingEntry => ({ severity: 'error', meaning, hint });
const warning = (meaning: string, hint: string): FindingEntry => ({ severity: 'warning', meaning, hint });

export const findingTable = {
  no_config: error(
    'The directory has no gateway.config.ts.',
    'run it where gateway.config.ts stands, or name that directory',
  ),
  no_default_export: error(
    'gateway.config.ts exports no default value.',
    'write `export default defineGateway({ … })`',
  ),
  not_a_gateway: error(
    'The default export is not what defineGateway returned.',
    'write `export default defineGateway({ … })`',
  ),
  config_failed: error(
    'Evaluating the configuration threw.',
    'configuration is plain data: what it computes must not fail',
  ),
  config_timeout: error('Evaluating the configuration did not end in time.', 'look for an endless loop'),
  import_not_found: error(
    'An imported file does not exist.',
    'write the path with its file extension, relative to this file',
  ),
  impure_import: error(
    'A file of the repository imports something other than headgate, its own files, JSON or text.',
    "import only 'headgate' and files of this repository (.ts, .js, .json, .md, .txt) by relative path",
  ),
  impure_code: error(
    'A file of the repository reads the clock, randomness, the environment, a timer or the network.',
    'configuration must mean the same on every machine: write the value out, or use secret() for what differs',
  ),
  machine_path: error(
    'A value holds a path of the machine that evaluates it.',
    'do not use import.meta in configuration',
  ),
  not_data: error(
    'A value has no JSON form: a function, a class instance, NaN, a cycle.',
    'use strings, numbers, booleans, lists and plain objects',
  ),
  wrong_reference: error(
    'A value of another sort stands where a declared object is expected.',
    'give the value that the define function returned',
  ),
  unknown_model: error(
    'A target names a model that its provider does not declare.',
    'add it to the `models` of the provider',
  ),
  not_served: error(
    'A consumer names a model or route that defineGateway does not list.',
    'add it to defineGateway, or take it out here',
  ),
  invalid_value: error(
    'A value is of the wrong type or out of its range.',
    'see the reference of the function that declares it, docs/reference/config.md in headgate',
  ),
  missing_value: error('A required property is missing.', 'add the property'),
  unknown_property: error('A property is not known here.', 'check its spelling; options depend on `kind`'),
  bad_name: error('An object has a name that cannot be published.', 'start with a letter or digit'),
  duplicate_name: error('Two objects of one sort have the same name.', 'rename one of them'),
  unused_declaration: warning(
    'An object is declared and nothing that is served refers to it.',
    'refer to it or remove it',
  ),
  route_shadowed: error('Two routes have the same host, path and method.', 'change one of them'),
  route_never_matches: warning(
    'The path of a route has empty or dot segments, which requests no longer have when they are matched.',
    'write the path as it stands after normalisation',
  ),
  strip_prefix_mismatch: error(
    'stripPrefix is not the beginning of the path of its route.',
    'make stripPrefix a prefix of path, at a slash',
  ),
  context_does_not_fit: error(
    'A context policy leaves no room in the window of one of the targets.',
    'lower target or reserveOutput, or use a model with a larger window',
  ),
  model_without_consumer: warning('No consumer may use this model.', 'name it in the `models` of a consumer'),
  no_consumers: warning(
    'The gateway has no consumers, so that nobody may call it.',
    'declare one with consumer() and list it in defineGateway',
  ),
  consumer_without_keys: warning(
    'A consumer has no keys and cannot call.',
    'create one with `headgate keys create` and add its hash',
  ),
  weight_missing: error('A member of a group has no weight where weights decide.', 'give every member a weight'),
  weight_refused: error(
    'A member of a group has a weight where weights mean nothing.',
    'remove the weight or use weighted()',
  ),
  prompt_variable_missing: error(
    'A prompt is used without a value for one of its variables.',
    'give the value with `.with({ … })`',
  ),
  prompt_variable_unknown: error(
    'A prompt is given a value for a variable that its templates do not mention.',
    'mention it in the template or remove it',
  ),
  prompt_variable_name: error(
    'A template holds a variable whose name cannot be used.',
    'use letters, digits and underscores between {{ and }}',
  ),
  prompt_choice_invalid: error('A prompt variable is given a word outside its choices.', 'use one of the choices'),
  prompt_choice_unknown: error(
    'A prompt lists choices for a variable that its templates do not mention.',
    'mention it in the template or remove it',
  ),
  prompt_fixture_incomplete: error(
    'A fixture does not fill exactly the variables of its prompt.',
    'give every variable one value',
  ),
  secret_literal: error(
    'A credential stands in the configuration.',
    "put it into the environment, refer to it as secret('NAME'), and revoke it if it was ever committed",
  ),
  plaintext_key: error(
    'A consumer key stands in the configuration itself instead of its hash.',
    'write the hash that `headgate keys create` prints, and revoke this key',
  ),
  duplicate_key: error(
    'The same key belongs to two consumers, or to one twice.',
    'give every consumer keys of its own',
  ),
  invariant_violated: error(
    'A path that a request can take breaks an invariant.',
    'change what leads there, or the invariant',
  ),
  invariant_failed: error(
    'The function of an invariant threw, or answered with something else than true, false or paths.',
    'make it answer for every path of the graph',
  ),
  snapshot_too_large: error(
    'The compiled snapshot is larger than the runtime accepts.',
    'shorten prompts or split the gateway',
  ),
} as const satisfies Readonly<Record<string, FindingEntry>>;

export type FindingCode = keyof typeof findingTable;

/** One finding by the table. */
export function finding(
  code: FindingCode,
  position: FilePosition,
  message: string,
  hint: string = findingTable[code].hint,
): Finding {
  const { file, line, column } = position;
  return { file, line, column, severity: findingTable[code].severity, code, message, hint };
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorted by place, without repetitions. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const different = new Map(
    findings.map((each) => [JSON.stringify([each.file, each.line, each.column, each.code, each.message]), each]),
  );
  return [...different.values()].sort(
    (a, b) =>
      byText(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      byText(a.code, b.code) ||
      byText(a.message, b.message),
  );
}

export const hasErrors = (findings: readonly Finding[]): boolean =>
  findings.some(({ severity }) => severity === 'error');

/** The machine, the installation or a remote is at fault, not the configuration: exit code 3. */
export class EnvironmentFault extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'EnvironmentFault';
  }
}
