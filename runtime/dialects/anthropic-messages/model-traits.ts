/** What a Claude model accepts, told from the version in its id: a field that it does not know is answered with 400. */

export interface ModelTraits {
  /** Models after 4.6 answer 400 to temperature and top_p (anthropic SDK, messages.ts, `top_p`: deprecated). */
  readonly sampling: boolean;
  /** `output_config.format` and strict tools: 4.5 and later (platform.claude.com, "structured outputs"). */
  readonly structuredOutput: boolean;
  /** Words of `output_config.effort` (platform.claude.com, "effort": Opus 4.5, 4.6 and later; `xhigh` after 4.6). */
  readonly effort: ReadonlySet<string>;
}

const noEffort: ReadonlySet<string> = new Set();
const firstEffort: ReadonlySet<string> = new Set(['low', 'medium', 'high']);
const secondEffort: ReadonlySet<string> = new Set([...firstEffort, 'max']);
const fullEffort: ReadonlySet<string> = new Set([...secondEffort, 'xhigh']);

/** An id without a version (an alias, another vendor with the same API) gets all: a 400 tells more than silence. */
export function modelTraits(model: string): ModelTraits {
  const version = readVersion(model);
  if (version === undefined) return { sampling: true, structuredOutput: true, effort: fullEffort };
  return {
    sampling: version <= 4.06,
    structuredOutput: version >= 4.05,
    effort: effortWords(version, model),
  };
}

function effortWords(version: number, model: string): ReadonlySet<string> {
  if (version > 4.06) return fullEffort;
  if (version === 4.06) return secondEffort;
  return version === 4.05 && model.includes('opus') ? firstEffort : noEffort;
}

/** `claude-opus-4-6` and `claude-3-7-sonnet-20250219` as 4.06 and 3.07; a date is not a minor version. */
function readVersion(model: string): number | undefined {
  const found = /claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model);
  return found === null ? undefined : Number(found[1]) + Number(found[2] ?? 0) / 100;
}
