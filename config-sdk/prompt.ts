/** Prompts: templates whose variables the type checker reads out of the text. */
import { declare } from './site.ts';
import type { BoundPrompt, Prompt, Value, ValueSource } from './handles.ts';

type Trim<Text extends string> = Text extends ` ${infer Rest}`
  ? Trim<Rest>
  : Text extends `${infer Rest} `
    ? Trim<Rest>
    : Text;

/** `'Hi {{name}}, {{ tone }}'` gives `'name' | 'tone'`. Tail recursive: good for about a thousand variables. */
export type VariablesOf<
  Template extends string,
  Found extends string = never,
> = Template extends `${string}{{${infer Name}}}${infer Rest}` ? VariablesOf<Rest, Found | Trim<Name>> : Found;

type Choices = Readonly<Record<string, readonly string[]>>;
type Flat<Shape> = { [Key in keyof Shape]: Shape[Key] } & {};
/** Choices for what no template mentions become `never`, so that they are refused where they stand. */
type OnlyVariables<Chosen, Names extends string> = { [Key in keyof Chosen]: Key extends Names ? Chosen[Key] : never };
type Fixture<Names extends string> = Flat<{ readonly [Name in Names]: string }>;

export interface PromptSpec<System extends string, User extends string, Chosen> {
  /** Sent as the system message, before the client's own messages. `{{name}}` is a variable. */
  system?: System;
  /** Sent as a user message after `system`, before the client's own messages. */
  user?: User;
  /** Variables that only take one of a few words. */
  choices?: Chosen;
  /** Example values by name: the gateway renders them before it serves a revision, and reviewers see the result. */
  fixtures?: Readonly<Record<string, Fixture<VariablesOf<System> | VariablesOf<User>>>>;
}

/**
 * A prompt. Its variables are whatever the templates mention, and `with` demands a value for each.
 * Values are inserted as plain text: a `{{…}}` inside a value is not looked at again.
 */
export function prompt<
  const System extends string = '',
  const User extends string = '',
  const Chosen extends Choices = {},
>(
  id: string,
  spec: PromptSpec<System, User, Chosen & OnlyVariables<Chosen, VariablesOf<System> | VariablesOf<User>>>,
): Prompt<
  Flat<{
    [Name in VariablesOf<System> | VariablesOf<User>]: Name extends keyof Chosen
      ? Value<(Chosen[Name] & readonly string[])[number]>
      : Value;
  }>
> {
  const bind = (variables: Record<string, Value>): BoundPrompt =>
    declare(bind, id, { variables }, { kind: 'bound-prompt', prompt: id, variables });
  // The declared type is computed from the template's text, which no expression here can have.
  return declare(prompt, id, spec, { kind: 'prompt' as const, id, with: bind });
}

interface SourceOptions<Text extends string> {
  /** Used when the request does not bring the value. Without it such a request is refused with 400 `prompt_variable_missing`. */
  default?: Text;
}

/** Where a variable's value comes from when a request is made. A value that is none of the variable's choices is refused with 400. */
export const from = {
  /** A header of the request. */
  header: <const Text extends string = string>(name: string, options: SourceOptions<Text> = {}): ValueSource<Text> => ({
    from: 'header',
    name,
    ...options,
  }),
  /** An entry of `metadata` in the request's body. */
  metadata: <const Text extends string = string>(
    name: string,
    options: SourceOptions<Text> = {},
  ): ValueSource<Text> => ({
    from: 'metadata',
    name,
    ...options,
  }),
};
