/** The reference of the authoring functions, read from their types and comments and from the options of the kinds. */
import { fileURLToPath } from 'node:url';
import { Node, Project, type InterfaceDeclaration, type JSDocableNode, type SourceFile, SyntaxKind } from 'ts-morph';
import { z } from 'zod';
import { catalogue } from '../config-sdk/catalogue/catalogue.ts';
import {
  capabilityNames,
  modelKinds,
  policyKinds,
  providerKinds,
  schemaOf,
  strategyKinds,
  type SchemaMaker,
} from '../runtime/snapshot.ts';

const project = new Project({ skipAddingFilesFromTsConfig: true, skipFileDependencyResolution: true });
const sourceOf = (path: string): SourceFile =>
  project.addSourceFileAtPath(fileURLToPath(new URL(`../${path}`, import.meta.url)));
const files = [
  'gateway',
  'define',
  'consumers',
  'issuers',
  'groups',
  'limits',
  'groups',
  'limits',
  'prices',
  'probes',
  'prompt',
  'invariant',
  'files',
  'handles',
].map((name) => sourceOf(`config-sdk/${name}.ts`));

const commentOf = (node: JSDocableNode): string =>
  node
    .getJsDocs()
    .map((each) => each.getDescription().trim().replaceAll(/\s+/g, ' '))
    .join(' ');
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (rows: readonly (readonly string[])[]): string =>
  ['| property | type | required | meaning |', '| --- | --- | --- | --- |']
    .concat(rows.map((cells) => `| ${cells.map(cell).join(' | ')} |`))
    .join('\n');

const oneOf = (names: readonly string[]): string => names.map((name) => `\`'${name}'\``).join(', ');

/** Types whose names say little to a reader. */
const words: Readonly<Record<string, string>> = {
  Duration: "duration, such as `'30s'`",
  AcceptableCode: 'code of a finding that may be accepted',
  'Declared | string': 'any declared object, or the path of a file',
  'Many<Model>': 'list, record or module of models',
  'Many<Route>': 'list, record or module of routes',
  'Many<Consumer>': 'list, record or module of consumers',
  Needs: 'list of capabilities',
  '{ [Index in keyof Of]: Fit<Of[Index], Needs> }': 'list of targets and groups, at least one',
  'FitContext<Budget, TargetsIn<Of[number]>>': '`ContextPolicy`',
  'readonly FitQuota<Unit, TargetsIn<Of[number]>>[]': 'list of `Quota`',
  Each: '`Target` or group',
  "'consumer' | 'user' | `header:${string}`": "`'consumer'`, `'user'` or text that begins with `header:`",
  'readonly [string, ...string[]]': 'list of texts, at least one',
  'Readonly<Record<Lowercase<string>, readonly [string, ...string[]]>>': 'record of lists of texts',
  'string | FormerQuota': 'text, or a record of `window` and `name`',
  'Duration | SlidingWindow | CalendarWindow': 'duration, or a record of `sliding` or of `calendar` and `zone`',
  Decimal: "text such as `'1.25'`",
  '(Written & Decimal) | Decimal': "text such as `'1.25'`",
  '(Written & number) | number': '`number`',
  '(Written & ModelKind) | ModelKind': oneOf(modelKinds),
  'readonly ((Written & Capability) | Capability)[]': `list of ${oneOf(capabilityNames)}`,
  'ModelPrices<Written> | DatedPriceList<Written>': 'prices, or a list of them, see below',
  'readonly LongPrices[]': 'list of prices of long calls',
  'Decimal | { low: Decimal; medium: Decimal; high: Decimal }':
    "text such as `'0.01'`, or a record of `low`, `medium` and `high`",
  Place: 'provider or upstream',
  'readonly AnyProvider[]': 'list of providers',
  Secret: "`secret('NAME')`",
  "PathQuota['unit']": 'unit of a quota',
  'readonly Tier[]': 'list of texts, the lowest first',
  'NoInfer<Tier>': 'one of `tiers`',
  System: 'text',
  User: 'text',
  Chosen: 'record of lists of words',
  Text: 'text, of the choices where there are some',
  'Readonly<Record<string, Fixture<VariablesOf<System> | VariablesOf<User>>>>': 'record of records of texts',
  'Readonly<Record<string, string | Secret>>': "record of texts and `secret('NAME')`",
  "`http${'s' | ''}://${string}`": 'text that begins with `http://` or `https://`',
  '`/${string}`': 'text that begins with `/`',
  KeyHash: 'text that begins with `sha256:`',
  'readonly (KeyHash | KeySpec)[]': 'list of texts that begin with `sha256:`, or of what is said of a key, see below',
  '{ readonly [object: `models.${string}` | `routes.${string}`]: string }':
    'record of reasons by `models.<name>` and `routes.<name>`',
  Rollout: 'record of `stages`, see below',
  'readonly [RolloutStage, ...RolloutStage[]]': 'list of stages, at least one',
  'BoundPrompt | Prompt<{}>': 'prompt, with values for its variables',
};

function typeInWords(text: string): string {
  const listed = /^readonly (.+)\[\]$/.exec(text)?.[1];
  if (listed && !words[text]) return `list of ${typeInWords(listed.replace(/^\((.*)\)$/, '$1'))}`;
  return words[text] ?? `\`${text.replaceAll('`', '')}\``;
}

function propertiesOf(shape: InterfaceDeclaration): string {
  return table(
    shape.getProperties().map((each) => {
      const type = typeInWords(each.getTypeNode()?.getText().replaceAll(/\s+/g, ' ') ?? '');
      return [`\`${each.getName()}\``, type, each.hasQuestionToken() ? '' : 'yes', commentOf(each)];
    }),
  );
}

const interfaceNamed = (name: string): InterfaceDeclaration | undefined =>
  files.map((file) => file.getInterface(name)).find((each) => each !== undefined);

interface Schema {
  readonly [key: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

function schemaInWords(schema: Schema): string {
  if (schema['const'] !== undefined) return `\`${JSON.stringify(schema['const'])}\``;
  if (Array.isArray(schema['enum'])) return schema['enum'].map((each) => `\`${JSON.stringify(each)}\``).join(' or ');
  const branches = (schema['anyOf'] ?? schema['oneOf']) as readonly Schema[] | undefined;
  if (branches) return [...new Set(branches.map(schemaInWords))].join(' or ');
  if (schema.properties?.['$secret']) return "`secret('NAME')`";
  if (schema['type'] === 'array') return `list of ${schemaInWords((schema['items'] ?? {}) as Schema)}`;
  if (schema.properties)
    return `{ ${Object.entries(schema.properties)
      .map(([name, each]) => `${name}: ${schemaInWords(each)}`)
      .join(', ')} }`;
  if (schema['type'] === 'object') return 'record';
  if (schema['title'] === 'duration') return words['Duration'] ?? '';
  return typeof schema['type'] === 'string' ? schema['type'] : '';
}

/** Doc comments of schema members by name, wherever in these files they stand. */
function commentsIn(paths: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of paths)
    for (const node of sourceOf(path).getDescendants()) {
      if (!Node.isPropertyAssignment(node)) continue;
      const comment = node.getLeadingCommentRanges().at(-1)?.getText() ?? '';
      if (comment.startsWith('/**'))
        found.set(
          node.getName(),
          comment
            .replaceAll(/^\/\*\*|\*\/$|^\s*\*/gm, '')
            .replaceAll(/\s+/g, ' ')
            .trim(),
        );
    }
  return found;
}

function optionsOf(schema: z.ZodType | undefined, comments: ReadonlyMap<string, string>): string {
  if (!schema) return '';
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
  if (Object.keys(properties).length === 0) return '';
  return table(
    Object.entries(properties).map(([name, each]) => {
      const fallback = each['default'] === undefined ? '' : ` Default \`${JSON.stringify(each['default'])}\`.`;
      const meaning = `${comments.get(name) ?? ''}${fallback}`.trim();
      return [`\`${name}\``, schemaInWords(each), required.includes(name) ? 'yes' : '', meaning];
    }),
  );
}

interface Kind {
  readonly options: SchemaMaker;
  readonly modelOptions?: SchemaMaker;
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const defaultUrl = /Default `"(http[^`]+)"`\./;

/** Kinds that differ in nothing but where they are reached stand together. */
function kindsIn(kinds: Readonly<Record<string, Kind>>, folder: string): string {
  const alike = Map.groupBy(
    Object.entries(kinds).map(([name, { options, modelOptions }]) => {
      const file = `runtime/${folder}/${kebab(name)}.ts`;
      const comments = commentsIn([...(folder === 'providers' ? ['runtime/providers/options.ts'] : []), file]);
      const own = optionsOf(schemaOf(options), comments) || 'No options of its own.';
      const perModel = optionsOf(modelOptions && schemaOf(modelOptions), comments);
      const models = perModel && `\n\nBesides, for each of its \`models\`:\n\n${perModel}`;
      return { name, file, url: defaultUrl.exec(own)?.[1], text: `${own}${models}` };
    }),
    ({ name, url, text }) => (url === undefined ? name : text.replace(url, '')),
  );
  return [...alike.values()]
    .map((group) => {
      const [{ name, text } = { name: '', text: '' }] = group;
      if (group.length === 1) return `#### kind \`'${name}'\`\n\n${text}`;
      const rows = group.map((each) => `| \`'${each.name}'\` | \`${each.url}\` | ${cell(headOf(each.file))} |`);
      const list = ['| kind | default `baseUrl` | |', '| --- | --- | --- |', ...rows].join('\n');
      return `#### kinds with the same options\n\n${list}\n\n${text.replace(defaultUrl, 'Default: above.')}`;
    })
    .join('\n\n');
}

/** The first words of a file: what it says of itself. */
const headOf = (path: string): string =>
  (
    sourceOf(path)
      .getFullText()
      .match(/^\/\*\*([\s\S]*?)\*\//)?.[1] ?? ''
  )
    .replaceAll(/\s*\n \*\s?|\s+/g, ' ')
    .trim();

/** What the functions take that has no interface of its own name. */
const further: Readonly<Record<string, readonly string[]>> = {
  provider: ['ModelFacts', 'ModelPrices', 'PartPrices', 'LongPrices', 'DatedPrices', 'FilesSpec', 'TargetOptions'],
  weighted: ['Weighted'],
  consumer: ['KeySpec', 'TokenUse'],
  claim: ['Claim'],
  defineGateway: ['Acceptance', 'Rollout', 'RolloutStage'],
  model: ['ModelProbe'],
  route: ['RouteProbe'],
  quota: ['CountQuota', 'MoneyQuota', 'ConcurrencyQuota', 'CalendarWindow', 'FormerQuota'],
};
const kindsFor: Readonly<Record<string, string>> = {
  provider: kindsIn(providerKinds, 'providers'),
  contextPolicy: kindsIn(strategyKinds, 'context'),
  policy: kindsIn(policyKinds, 'policies'),
  prompt: promptValues(),
};
function methodOf(type: string, name: string): string {
  const method = interfaceNamed(type)?.getProperty(name);
  if (!method) throw new Error(`${type} has no ${name}`);
  return commentOf(method);
}

/** What a prompt has besides its own properties: `with`, and where the values come from that it is given. */
function promptValues(): string {
  const from = sourceOf('config-sdk/prompt.ts').getVariableDeclarationOrThrow('from');
  const comments = commentsIn(['config-sdk/prompt.ts']);
  const members = from
    .getInitializerIfKindOrThrow(SyntaxKind.ObjectLiteralExpression)
    .getProperties()
    .filter((each) => Node.isPropertyAssignment(each))
    .map((each) => `- \`from.${each.getName()}(name, options)\`: ${comments.get(each.getName())}`);
  const options = interfaceNamed('SourceOptions');
  if (!options) throw new Error('SourceOptions is in none of the files');
  return [
    `\`.with(values)\`: ${methodOf('Prompt', 'with')}`,
    `## from\n\n${commentOf(from.getVariableStatementOrThrow())}`,
    members.join('\n'),
    `Their options:\n\n${propertiesOf(options)}`,
  ].join('\n\n');
}

const captions: Readonly<Record<string, string>> = {
  KeySpec: 'An entry of `keys` that says more than its hash:',
  TokenUse: 'An entry of `jwt`:',
  QuotaSpec: 'Of every unit:',
  CountQuota: 'Of requests and tokens:',
  MoneyQuota: 'Of money:',
  ConcurrencyQuota: 'Of calls in flight:',
  CalendarWindow: 'A window of the calendar:',
  FormerQuota: 'What it was, where its window was another:',
  ModelProbe: 'Its `probe`:',
  RouteProbe: 'Its `probe`:',
  Rollout: 'What is said of a `rollout`:',
  RolloutStage: 'What is said of each of its `stages`:',
  Acceptance: 'An entry of `accept`:',
  ModelFacts: `What is said of each of its \`models\`. The catalogue knows the models of the kinds ${Object.keys(
    providerKinds,
  )
    .filter((kind) => Object.hasOwn(catalogue.vendors, kind))
    .map((kind) => `\`'${kind}'\``)
    .join(
      ', ',
    )}: theirs may be left out, and what is written wins. Behind another \`baseUrl\` the same id may be another model: write its facts there. They are listed in [models.md](models.md). Source: ${catalogue.source}`,
  FilesSpec: 'What is said of `files`, where it keeps some for consumers ([files.md](../files.md)):',
  ModelPrices: 'Its `prices`, in USD for a million tokens:',
  PartPrices: 'Parts of the input and the output, in `prices` as in an entry of `long`:',
  LongPrices: 'An entry of `long` has beside those:',
  DatedPrices: 'Where `prices` are several, each has beside those:',
  TargetOptions: `\`.target(model, options)\`: ${methodOf('Provider', 'target')} Its options:`,
};

const sections = files.flatMap((file) =>
  file.getFunctions().flatMap((each) => {
    const name = each.getName() ?? '';
    if (!each.isExported()) return [];
    const spec = name.replace(/^define/, '').replace(/^./, (letter) => letter.toUpperCase());
    const shapes = [`${spec}Spec`, ...(further[name] ?? [])].flatMap((one) => {
      const shape = interfaceNamed(one);
      if (!shape && further[name]?.includes(one)) throw new Error(`${one} of ${name} is in none of the files`);
      return shape ? [`${captions[one] ? `${captions[one]}\n\n` : ''}${propertiesOf(shape)}`] : [];
    });
    return [[`## ${name}()`, commentOf(each), ...shapes, kindsFor[name] ?? ''].filter(Boolean).join('\n\n')];
  }),
);

export const configPage = `# The functions of a configuration

What a repository imports from \`headgate\`, and what each function takes.

${sections.join('\n\n')}
`;
