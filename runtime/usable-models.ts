/** Which models may be used: those of a list, as far as their prompts may be used too, since nobody comes to a prompt but by a model. */

export interface Bounds {
  /** Absent: all. */
  readonly models?: readonly string[] | undefined;
  /** Absent: all. */
  readonly prompts?: readonly string[] | undefined;
}

type Models = Readonly<Record<string, { readonly prompt?: { readonly name: string } | undefined }>>;

/** Undefined where nothing bounds them: all, and any that is added later. */
export function usableModels({ models, prompts }: Bounds, all: Models): readonly string[] | undefined {
  if (prompts === undefined) return models;
  const allowed = new Set(prompts);
  return (models ?? Object.keys(all)).filter((name) => {
    const prompt = Object.hasOwn(all, name) ? all[name]?.prompt : undefined;
    return prompt === undefined || allowed.has(prompt.name);
  });
}
