/**
 * From a value inside a `define` call to its line and column. Only the file at fault is parsed, and only when there is
 * something to report: ts-morph costs half a second and 100 MB that a good configuration never pays.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CallExpression, Node, Project, type SourceFile, SyntaxKind } from 'ts-morph';
import type { FilePosition } from './findings.ts';
import type { LoadedDeclaration } from './load/document.ts';
import type { Place, Path } from './compile/places.ts';

/** A value as a place: two findings that point at its name, its beginning or the middle of its expression speak of the same. */
export interface Spot {
  /** Offsets in the file. */
  readonly start: number;
  readonly end: number;
  /** The property that the value stands in, or its position in a list. */
  readonly key: string | undefined;
  /** A list as it is written. */
  readonly list: boolean;
  /** The values around it, innermost first. */
  readonly around: readonly { readonly start: number; readonly key: string | undefined }[];
}

export interface Locator {
  readonly spot: (position: FilePosition) => Spot;
  readonly value: (place: Place) => FilePosition;
  /** The specifier of an import. */
  readonly importOf: (file: string, specifier: string) => FilePosition;
}

type Key = string | number;

/** What the value of `name` was written as, when this file says so. */
function initializerOf(name: string, source: SourceFile): Node | undefined {
  return source.getVariableDeclaration(name)?.getInitializer();
}

function property(node: Node, key: Key, follow: boolean): Node | undefined {
  if (!Node.isObjectLiteralExpression(node)) return undefined;
  // The last of two equal names wins, as it does when the code runs.
  for (const each of [...node.getProperties()].reverse()) {
    if (Node.isSpreadAssignment(each)) {
      const within = step(each.getExpression(), key, follow);
      if (within) return within;
    } else if (Node.isShorthandPropertyAssignment(each) && each.getName() === String(key)) return each;
    else if (Node.isPropertyAssignment(each)) {
      const name = each.getNameNode();
      const text = Node.isStringLiteral(name) || Node.isNumericLiteral(name) ? name.getLiteralText() : name.getText();
      if (text === String(key)) return each;
    }
  }
  return undefined;
}

const valueOf = (node: Node): Node => (Node.isPropertyAssignment(node) ? (node.getInitializer() ?? node) : node);

function element(node: Node, key: Key): Node | undefined {
  if (!Node.isArrayLiteralExpression(node) || typeof key !== 'number') return undefined;
  const elements = node.getElements();
  // Positions after a spread are unknown.
  return elements.slice(0, key + 1).some((each) => Node.isSpreadElement(each)) ? undefined : elements[key];
}

/**
 * The node of one property or element; a property as a whole, so that its name can be pointed at too. `follow`: through
 * names of values, to where those are written.
 */
function step(from: Node, key: Key, follow: boolean): Node | undefined {
  const node = valueOf(from);
  if (Node.isIdentifier(node)) {
    const initializer = follow ? initializerOf(node.getText(), node.getSourceFile()) : undefined;
    return initializer ? step(initializer, key, follow) : undefined;
  }
  if (Node.isAsExpression(node) || Node.isSatisfiesExpression(node) || Node.isParenthesizedExpression(node))
    return step(node.getExpression(), key, follow);
  return property(node, key, follow) ?? element(node, key);
}

/** Which argument of the call a path starts in, and what remains of it there. */
function argumentOf(
  call: CallExpression,
  { sort, spec }: LoadedDeclaration,
  path: Path,
): { node: Node | undefined; rest: Path } {
  const given = call.getArguments();
  const [first, ...rest] = path;
  if (sort === 'gateway') return { node: given[0], rest: path };
  if (sort === 'bound-prompt') return { node: given[0], rest };
  if (sort === 'target') return first === 'options' ? { node: given[1], rest } : { node: given[0], rest: [] };
  if (sort === 'group') {
    if (first === 'options') return { node: given[0], rest };
    // Of groups that have something to say of themselves, members follow after it.
    const before = typeof spec === 'object' && spec !== null && Object.hasOwn(spec, 'options') ? 1 : 0;
    const position = before + (typeof rest[0] === 'number' ? rest[0] : 0);
    const spread = given.slice(0, position + 1).some((each) => Node.isSpreadElement(each));
    return { node: spread ? undefined : given[position], rest: rest.slice(1) };
  }
  if (first === '$id') return { node: given[0], rest: [] };
  return { node: given[1], rest: path };
}

function callAt(source: SourceFile, { line, column }: FilePosition): CallExpression | undefined {
  const position = source.compilerNode.getPositionOfLineAndCharacter(line - 1, column - 1);
  const start = source.getDescendantAtPos(position);
  // The engine points at the callee: at its last name when it has several, or behind it.
  return start?.getFirstAncestor(
    (node): node is CallExpression => Node.isCallExpression(node) && node.getExpression().getEnd() >= position,
  );
}

function positionOf(node: Node, file: string): FilePosition {
  const { line, column } = node.getSourceFile().getLineAndColumnAtPos(node.getStart());
  return { file, line, column };
}

function nodeAt(call: CallExpression, declaration: LoadedDeclaration, { path, name, inCall }: Place): Node {
  if (path.length === 0) return call;
  const { node, rest } = argumentOf(call, declaration, path);
  let at: Node = node ?? call;
  for (const [index, key] of (node ? rest : []).entries()) {
    const next = step(at, key, !inCall);
    // Computed or spread: the nearest written ancestor is still the right place to point at.
    if (!next) return valueOf(at);
    if (name && index === rest.length - 1) return next;
    at = next;
  }
  return valueOf(at);
}

/** The whole of an access, call or wrapped expression that begins with, or is named by, `node`. */
function wholeExpression(node: Node): Node {
  const parent = node.getParent();
  if (!parent) return node;
  const chained =
    (Node.isPropertyAccessExpression(parent) && (parent.getExpression() === node || parent.getNameNode() === node)) ||
    ((Node.isElementAccessExpression(parent) ||
      Node.isCallExpression(parent) ||
      Node.isNewExpression(parent) ||
      Node.isNonNullExpression(parent) ||
      Node.isAsExpression(parent) ||
      Node.isSatisfiesExpression(parent) ||
      Node.isParenthesizedExpression(parent) ||
      Node.isAwaitExpression(parent)) &&
      parent.getExpression() === node);
  return chained ? wholeExpression(parent) : node;
}

function keyOf(value: Node): string | undefined {
  const parent = value.getParent();
  if (Node.isShorthandPropertyAssignment(parent)) return parent.getName();
  if (Node.isPropertyAssignment(parent)) return parent.getName().replace(/^(['"])(.*)\1$/, '$2');
  if (Node.isArrayLiteralExpression(parent)) return String(parent.getElements().findIndex((each) => each === value));
  return undefined;
}

/** The value that the token at an offset belongs to. */
function valueAround(token: Node): Node {
  const parent = token.getParent();
  if (Node.isPropertyAssignment(parent) && parent.getNameNode() === token) return parent.getInitializer() ?? token;
  const imported = token.getFirstAncestor((each) => Node.isImportDeclaration(each) || Node.isExportDeclaration(each));
  if (Node.isImportDeclaration(imported) || Node.isExportDeclaration(imported))
    return imported.getModuleSpecifier() ?? token;
  // A bracket, or the word `new`.
  const opens = parent && !Node.isSourceFile(parent) && !isNamed(token) && parent.getStart() === token.getStart();
  return wholeExpression(opens ? parent : token);
}

const isNamed = (token: Node): boolean => Node.isIdentifier(token) || Node.isLiteralExpression(token);

function spotAt(source: SourceFile, { line, column }: FilePosition): Spot {
  const position = source.compilerNode.getPositionOfLineAndCharacter(line - 1, column - 1);
  const token = source.getDescendantAtPos(position);
  if (!token) return { start: position, end: position, key: undefined, list: false, around: [] };
  const value = valueAround(token);
  const around = value
    .getAncestors()
    .filter((each) => Node.isExpression(each))
    .map((each) => ({ start: each.getStart(), key: keyOf(each) }));
  const list = Node.isArrayLiteralExpression(value);
  return { start: value.getStart(), end: value.getEnd(), key: keyOf(value), list, around };
}

export function createLocator(directory: string, declarations: readonly LoadedDeclaration[]): Locator {
  const project = new Project({
    skipAddingFilesFromTsConfig: true,
    skipFileDependencyResolution: true,
    compilerOptions: { noLib: true, allowJs: true },
  });
  const sourceOf = (file: string): SourceFile =>
    project.getSourceFile(join(directory, file)) ?? project.addSourceFileAtPath(join(directory, file));

  return {
    spot(position) {
      const nowhere = { start: -position.line, end: -position.line, key: undefined, list: false, around: [] };
      // JSON and text have no values to tell apart, and a place may have been made up for what has none.
      if (!/\.[mc]?[jt]s$/.test(position.file) || !existsSync(join(directory, position.file))) return nowhere;
      const source = sourceOf(position.file);
      return position.line <= source.getEndLineNumber() ? spotAt(source, position) : nowhere;
    },
    value(place) {
      const declaration = declarations[place.declaration];
      if (!declaration) return { file: '', line: 1, column: 1 };
      if (place.path.length === 0) return declaration.position;
      const call = callAt(sourceOf(declaration.position.file), declaration.position);
      if (!call) return declaration.position;
      const node = nodeAt(call, declaration, place);
      return node === call ? declaration.position : positionOf(node, declaration.position.file);
    },
    importOf(file, specifier) {
      const literals = sourceOf(file).getDescendantsOfKind(SyntaxKind.StringLiteral);
      const found = literals.find((literal) => {
        const parent = literal.getParent();
        const dynamic = Node.isCallExpression(parent) && Node.isImportExpression(parent.getExpression());
        return (
          literal.getLiteralText() === specifier &&
          (dynamic || Node.isImportDeclaration(parent) || Node.isExportDeclaration(parent))
        );
      });
      return found ? positionOf(found, file) : { file, line: 1, column: 1 };
    },
  };
}
