/** Colours for a terminal. */
import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** `terminal`: colours may be used. Honours NO_COLOR, FORCE_COLOR, and streams that are no terminal. */
export const painter =
  (terminal: boolean): Paint =>
  (style, text) =>
    terminal ? styleText(style, text, { stream: process.stdout }) : text;
