/** Small documents of a fixed shape, read strictly and without a library for schemas: a start reads them before anything else. */

interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export interface Flaw extends Complaint {
  /** A field that nobody here knows. */
  readonly isUnknown?: true;
}

/** What is wrong with a value that stands at `path`. */
export type Shape = (value: unknown, path: Flaw['path']) => readonly Flaw[];

export type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whatever `isRight` takes. */
export const that =
  (problem: string, isRight: (value: unknown) => boolean): Shape =>
  (value, path) =>
    isRight(value) ? [] : [{ path, message: problem }];

export const text = (problem = 'must be a text', isRight: (value: string) => boolean = () => true): Shape =>
  that(problem, (value) => typeof value === 'string' && isRight(value));

export const wholeNumber = (least: number): Shape =>
  that(`must be a whole number from ${least} on`, (value) => Number.isSafeInteger(value) && (value as number) >= least);

export const perhaps =
  (shape: Shape): Shape =>
  (value, path) =>
    value === undefined ? [] : shape(value, path);

/** Counted before it is looked at. */
export const listOf =
  (shape: Shape, most: number): Shape =>
  (value, path) =>
    Array.isArray(value) && value.length > 0 && value.length <= most
      ? value.flatMap((each: unknown, index) => shape(each, [...path, index]))
      : [{ path, message: `must be a list of 1 to ${most}` }];

/** No field is missing, and none stands there that is not known. */
export const object =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    if (!isFields(value)) return [{ path, message: 'must be an object' }];
    const unknown = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
    return [
      ...unknown.map((name) => ({ path: [...path, name], message: 'is not known', isUnknown: true }) as const),
      ...Object.entries(fields).flatMap(([name, shape]) =>
        shape(Object.hasOwn(value, name) ? value[name] : undefined, [...path, name]),
      ),
    ];
  };

/** Any names, each with the same. */
export const namesWith =
  (shape: Shape): Shape =>
  (value, path) =>
    isFields(value)
      ? Object.entries(value).flatMap(([name, each]) => shape(each, [...path, name]))
      : [{ path, message: 'must be an object' }];

export const shortened = (words: string): string => (words.length > 300 ? `${words.slice(0, 300)}…` : words);

/** The first complaints, and how many more there are. */
export function inWords(complaints: readonly Complaint[], most = 10): string {
  const lines = complaints
    .slice(0, most)
    .map(({ path, message }) => shortened(`${path.join('.') || '(top)'}: ${message}`));
  const more = complaints.length - lines.length;
  return lines.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
