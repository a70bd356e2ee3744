export type Note = string;
