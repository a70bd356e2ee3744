/** What a configuration sees besides `headgate`: text files as modules, and `console` to look at values while writing. */

declare module '*.md' {
  const text: string;
  export default text;
}

declare module '*.txt' {
  const text: string;
  export default text;
}

interface Console {
  log(...values: unknown[]): void;
  error(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  info(...values: unknown[]): void;
  debug(...values: unknown[]): void;
}

// The form in which other declarations of it merge with this one.
// oxlint-disable-next-line no-var
declare var console: Console;
