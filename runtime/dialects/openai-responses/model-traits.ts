/** What an OpenAI model accepts, told from its id: a field that it does not know is answered with 400. */

/** The o series, GPT-5 and later, and what is built on them; their chat variants do not reason. */
export const reasons = (model: string): boolean =>
  /(^|[/:])(o\d|gpt-([5-9]|\d\d)|codex)/.test(model) && !/-chat(-|$)/.test(model);
