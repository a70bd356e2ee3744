/** What a Gemini model accepts, told from the version in its id: settings that it does not know are answered with 400. */

export interface ModelTraits {
  /** Since version 3 levels, in 2.5 budgets, before that nothing (ai.google.dev/gemini-api/docs/thinking). */
  readonly thinking: 'level' | 'budget' | 'none';
  /** The larger models cannot do without thinking, nor with the least of it (ibid., table of levels and budgets). */
  readonly thinksAlways: boolean;
  /** Since version 3 a function call without its signature is a 400 (ai.google.dev/gemini-api/docs/thought-signatures). */
  readonly signsCalls: boolean;
}

/** An id without a version (`gemini-flash-latest`) stands for a current model. */
export function modelTraits(model: string): ModelTraits {
  const found = /gemini-(\d+)(?:\.(\d+))?/.exec(model);
  const version = found ? Number(found[1]) + Number(found[2] ?? 0) / 100 : model.includes('gemma') ? 0 : Infinity;
  return {
    thinking: version >= 3 ? 'level' : version >= 2.05 ? 'budget' : 'none',
    thinksAlways: /\bpro\b/.test(model),
    signsCalls: version >= 3,
  };
}
