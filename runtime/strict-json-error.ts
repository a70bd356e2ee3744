/** Why a document is not taken, and where: shortened, and never its content. */

const longestKeyShown = 40;
const mostStepsShown = 8;

export class StrictJsonError extends Error {
  /** Where in the document: keys and indexes, shortened; empty at the top. */
  readonly path: string;
  /** Characters before the place; bytes where the document is not even text. */
  readonly offset: number | undefined;

  constructor(problem: string, path: string, offset: number | undefined) {
    super(`${problem}${path && ` at ${path}`}${offset === undefined ? '' : `, offset ${offset}`}`);
    this.name = 'StrictJsonError';
    this.path = path;
    this.offset = offset;
  }
}

export type Step = string | number;

/** A key as it may be shown: short, and nothing in it that a terminal would act upon. */
function shown(key: string): string {
  const short = key.length > longestKeyShown ? `${key.slice(0, longestKeyShown)}…` : key;
  return /^[\w:/@…-]+$/.test(short) ? short : JSON.stringify(short).replace(/[^\x20-\x7e…]/g, '?');
}

export function pathInWords(steps: readonly Step[]): string {
  const words = steps.map((step, index) =>
    typeof step === 'number' ? `[${step}]` : `${index ? '.' : ''}${shown(step)}`,
  );
  if (words.length <= mostStepsShown) return words.join('');
  const half = mostStepsShown / 2;
  return `${words.slice(0, half).join('')}…${words.slice(-half).join('')}`;
}
