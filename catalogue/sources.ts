/** Where the model catalogue comes from: one pinned package with facts and prices, and what of it is taken for each vendor. */

/** The most complete maintained table of models under an open licence; no npm package was found that keeps up with it. */
export const source = {
  package: 'litellm',
  version: '1.109.1',
  /** Of the wheel; the download is refused when it differs. */
  sha256: '1c8b4dd671fa0cd0850aa751678704ff77e595fb1e6085b2dc3be39ee19bdaaf',
  /** Asked for by name, so that every machine takes the same file. */
  platform: 'manylinux_2_28_x86_64',
  file: 'litellm/model_prices_and_context_window_backup.json',
  licence: 'MIT, copyright (c) 2023 Berri AI',
  /** Day on which this version was the newest. */
  taken: '2026-11-22',
} as const;

/** OpenAI's own windows; the table above gives the part that input may fill. */
export const windowSource = { package: 'gpt-tokenizer', version: '4.0.0', licence: 'MIT' } as const;

/** Days on which vendors changed their prices, or will; where it agrees with the table above on those of today. */
export const dateSource = { package: '@pydantic/genai-prices', version: '0.1.8', licence: 'MIT' } as const;

export interface VendorSource {
  /** The name that the source of dates has for the vendor. */
  readonly dates?: string;
  /** Names under which the table files this vendor's models. */
  readonly providers: readonly string[];
  /** Taken off the front of a key to get the vendor's own id; keys without it are ids already. */
  readonly prefix?: string;
  /** Ids that are wanted. The table also has sizes of images, regions and discounts as models of their own. */
  readonly ids: RegExp;
  /** Models that the table files under other names than the rest, such as those for embeddings. */
  readonly beside?: { readonly providers: readonly string[]; readonly ids: RegExp };
  /** What the vendor documents and the table leaves out. */
  readonly parallelTools?: true;
}

const plain = /^(?!ft:)[\w.:-]+$/;
const withFamily = /^[\w.:-]+(\/[\w.:-]+)?$/;

/** By the name that a provider kind for this vendor has. */
export const vendors: Readonly<Record<string, VendorSource>> = {
  openai: { dates: 'openai', providers: ['openai'], ids: plain },
  // https://platform.claude.com/docs/en/agents-and-tools/tool-use/parallel-tool-use
  anthropic: { dates: 'anthropic', providers: ['anthropic'], ids: plain, parallelTools: true },
  azure: { providers: ['azure'], prefix: 'azure/', ids: plain },
  bedrock: {
    dates: 'aws',
    providers: ['bedrock_converse'],
    ids: /^(?!(us|eu|apac|au|jp|global|us-gov)\.)[\w.:-]+$/,
    // The sorts of models that are spoken to: runtime/dialects/bedrock-embeddings.ts.
    beside: { providers: ['bedrock'], ids: /^(amazon\.titan-embed-text|cohere\.embed)-[\w.:-]+$/ },
  },
  cerebras: { providers: ['cerebras'], prefix: 'cerebras/', ids: plain },
  cohere: { providers: ['cohere', 'cohere_chat'], prefix: 'cohere/', ids: plain },
  deepseek: { dates: 'deepseek', providers: ['deepseek'], prefix: 'deepseek/', ids: plain },
  // Of the hundreds that it can host, the families that are called by name.
  fireworks: {
    providers: ['fireworks_ai', 'fireworks_ai-embedding-models'],
    prefix: 'fireworks_ai/',
    ids: /^accounts\/fireworks\/models\/(deepseek-(r1|v3|v4)|ember|gemma|glm|gpt-oss|inkling|kimi|llama-v3p[13]|llama4|minimax|mixtral|muse|nemotron|qwen3)[\w.-]*$/,
  },
  // https://ai.google.dev/gemini-api/docs/function-calling#parallel_function_calling
  google: { dates: 'google', providers: ['gemini'], prefix: 'gemini/', ids: plain, parallelTools: true },
  groq: { providers: ['groq'], prefix: 'groq/', ids: withFamily },
  mistral: { dates: 'mistral', providers: ['mistral'], prefix: 'mistral/', ids: plain },
  perplexity: { providers: ['perplexity'], prefix: 'perplexity/', ids: /^sonar[\w-]*$/ },
  together: { providers: ['together_ai'], prefix: 'together_ai/', ids: /^[\w.-]+\/[\w.:-]+$/ },
  vertex: {
    dates: 'google',
    providers: ['vertex_ai', 'vertex_ai-language-models'],
    prefix: 'vertex_ai/',
    ids: plain,
    // Names without a version go on to be served; multimodal ones take a body of their own.
    beside: {
      providers: ['vertex_ai-embedding-models'],
      ids: /^(gemini-embedding|text-(multilingual-)?embedding)-\d[\w.-]*$/,
    },
  },
  voyage: { providers: ['voyage'], prefix: 'voyage/', ids: plain },
  xai: { dates: 'x-ai', providers: ['xai'], prefix: 'xai/', ids: plain },
};
