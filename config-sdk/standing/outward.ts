/** What other files can see of one: the types of what it exports, in words that leave nothing open. */
import type { Project } from 'typescript/unstable/async';

/** As `NodeBuilderFlags` of the compiler: nothing is cut short, and what is declared elsewhere is named with its file. */
const inFull = { noTruncation: 1, fullyQualified: 64, uniqueSymbols: 1 << 20, noReduction: 1 << 29 };
const format = Object.values(inFull).reduce((all, each) => all | each);
/** As `SymbolFlags`: variables, functions, and the value of `export default`. */
const plainExport = 1 | 2 | 4 | 16;

/** Words that mean the same wherever they stand. A name that is none of them may be declared in the file itself. */
const plainWords = new Set(
  (
    'any bigint boolean false keyof null number object readonly string symbol true undefined unknown void ' +
    'Array Date Map Partial Promise ReadonlyArray ReadonlyMap ReadonlySet Readonly Record RegExp Set Uint8Array'
  ).split(' '),
);

/** A name that stands for a type; what is followed by a colon is a property or a parameter. */
const typeName = /[\p{L}_$][\p{L}\d_$]*(?![\p{L}\d_$]|\s*\??:)/gu;

/** Whether every name in it means the same everywhere, or says where it is declared. */
function isUnmistakable(text: string): boolean {
  if (text.includes('...') || text.includes('elided') || text.includes('`')) return false;
  const bare = text
    .replace(/\b(typeof )?import\("[^"]*"\)(\.[\w$]+)+/g, ' ')
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, ' ');
  return [...bare.matchAll(typeName)].every(([word]) => plainWords.has(word));
}

/** Changes how others are read without being exported, or lets them see more of a name than its type. */
const farReaching = /\bdeclare\s+(global|module)\b|^\s*\/\/\/\s*<|^\s*(export\s+)?(let|var)\b/m;

/** Undefined where words do not tell all of it. */
export async function outwardOf({ program, checker }: Project, path: string): Promise<string | undefined> {
  if (!/\.m?ts$/.test(path) || /\.d\.m?ts$/.test(path)) return undefined;
  const file = await program.getSourceFile(path);
  if (!file || farReaching.test(file.text)) return undefined;
  const module = await checker.getSymbolAtLocation(file);
  if (!module) return undefined;
  const symbols = await checker.getExportsOfModule(module);
  if (symbols.some(({ flags }) => (flags & ~plainExport) !== 0)) return undefined;
  const types = await checker.getTypeOfSymbol(symbols);
  const lines = await Promise.all(
    types.map(async (type, index) => {
      const words = type && (await checker.typeToString(type, undefined, format));
      return words !== undefined && isUnmistakable(words) ? `${symbols[index]?.name}: ${words}` : undefined;
    }),
  );
  return lines.every((line) => line !== undefined) ? lines.sort().join('\n') : undefined;
}
