/** Reads what the architecture test judges in a source file: its imports, text literals, `any`s and environment reads. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { ts } from 'ts-morph';

export interface Found {
  readonly text: string;
  readonly line: number;
}

export interface Imported extends Found {
  /** Runs when the file does: no mere type, and not imported only when asked for. */
  readonly isLoaded: boolean;
}

export interface SourceFacts {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly lineCount: number;
  /** Module specifiers as written: static, dynamic, re-exported, and in types. */
  readonly imports: readonly Imported[];
  /** Text in quotes and templates, module specifiers left out. */
  readonly literals: readonly Found[];
  readonly anys: readonly Found[];
  readonly suppressions: readonly Found[];
  readonly environmentReads: readonly Found[];
}

export function readSources(root: string, folders: readonly string[]): SourceFacts[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !/(^|\/)(node_modules|dist)\/|\.d\.ts$/.test(path))
    .toSorted()
    .map((path) => factsOf(path, readFileSync(join(root, path), 'utf8')));
}

export function factsOf(path: string, text: string): SourceFacts {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const imports: Imported[] = [];
  const literals: Found[] = [];
  const anys: Found[] = [];
  const environmentReads: Found[] = [];
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;

  function visit(node: ts.Node): void {
    const line = lineOf(node);
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      imports.push({ text: specifier.text, line, isLoaded: isLoaded(node) });
      if (/^(node:)?process$/.test(specifier.text)) environmentReads.push({ text: 'import of node:process', line });
    }
    if (isText(node) && specifierOf(node.parent) !== node && !isTypeImportArgument(node)) {
      literals.push({ text: node.text, line });
    }
    if (node.kind === ts.SyntaxKind.AnyKeyword) anys.push({ text: 'any', line });
    if (isEnvironment(node)) environmentReads.push({ text: 'process.env', line });
    ts.forEachChild(node, visit);
  }
  visit(source);

  const suppressions = [...text.matchAll(/@ts-(?:ignore|nocheck)\b/g)].map((match) => ({
    text: match[0],
    line: text.slice(0, match.index).split('\n').length,
  }));
  const lineCount = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, lineCount, imports, literals, anys, suppressions, environmentReads };
}

function specifierOf(node: ts.Node): ts.StringLiteralLike | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
    return ts.isStringLiteralLike(node.moduleSpecifier) ? node.moduleSpecifier : undefined;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const first = node.arguments[0];
    return first !== undefined && ts.isStringLiteralLike(first) ? first : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return ts.isStringLiteralLike(node.argument.literal) ? node.argument.literal : undefined;
  }
  return undefined;
}

function isLoaded(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword;
  return ts.isExportDeclaration(node) && !node.isTypeOnly;
}

function isTypeImportArgument(node: ts.Node): boolean {
  return ts.isLiteralTypeNode(node.parent) && ts.isImportTypeNode(node.parent.parent);
}

function isText(node: ts.Node): node is ts.LiteralLikeNode {
  return ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
}

function isEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'env' && node.expression.getText() === 'process';
  if (ts.isElementAccessExpression(node)) return /^process\[.env.\]$/.test(node.getText());
  // `const { env } = process`
  return (
    ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer?.getText() === 'process'
  );
}

/** The file a relative import means, from the root of the repository; nothing for a package or a Node module. */
export function targetOf(path: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? join(dirname(path), specifier) : undefined;
}

/** The npm package an import comes from; nothing for a relative import, a Node module or a package's own `#` import. */
export function packageOf(specifier: string): string | undefined {
  if (/^(\.|\/|#|node:)/.test(specifier)) return undefined;
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}
