/** Texts from the configuration, made fit to be shown: short, on one line, and with nothing in them that a reader cannot see. */

/**
 * Controls, marks that turn the direction of text, and characters without a form: they make a diff say one thing and
 * mean another. Joiners stay, since scripts and emoji need them.
 */
const unseen =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

export const visible = (text: string): string =>
  text.replaceAll(unseen, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`);

/** Cuts between characters, never inside one. */
function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = text.codePointAt(most - 2) ?? 0;
  return `${text.slice(0, end > 0xffff ? most - 2 : most - 1)}…`;
}

const mostOfName = 160;

/** For the middle of a sentence. */
export const inLine = (text: string): string =>
  visible(shorten(text, mostOfName).replaceAll('\n', '⏎').replaceAll('\t', ' '));

const mostOfLine = 1_000;

/** For a line of a diff. */
export const asLine = (text: string): string => visible(shorten(text, mostOfLine));
