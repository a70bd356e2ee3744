/**
 * What all presets share: a vendor or server that speaks OpenAI's chat completions at an address of its own. A preset is one
 * file that says the address and how the vendor differs, and one export line in `index.ts`; docs/providers.md shows one.
 */
import { openaiChatWith, wordedFor, type Quirks } from '../dialects/openai-chat.ts';
import type { Zod } from '../zod.ts';
import { baseUrl, checkEndpoint, endpointFields, isPrivateHost, lowerCaseNames, splitBaseUrl } from './options.ts';
import type { Connection, ProviderKind, TaskApi } from './provider.ts';
import { tasksUnder } from './task-apis.ts';

export interface Preset {
  /** Where its API begins: `/chat/completions` follows. Of a vendor's own host nothing is asked without a key. */
  readonly baseUrl: string;
  /** How it differs from OpenAI. */
  readonly quirks?: Quirks;
  /** What stands beside chat completions, where it is not what OpenAI has. `path` has no slash at its end. */
  readonly tasks?: (path: string) => readonly TaskApi[];
}

const optionsAt = (url: string) => {
  const { hostname } = new URL(url);
  return (z: Zod) =>
    z
      .strictObject({ baseUrl: baseUrl(z).default(url), ...endpointFields(z) })
      .superRefine(checkEndpoint(isPrivateHost(hostname) ? undefined : hostname));
};

export const compatible = ({
  baseUrl: url,
  quirks = {},
  tasks = tasksUnder,
}: Preset): ProviderKind<ReturnType<typeof optionsAt>> => ({
  options: optionsAt(url),
  connect(chosen, readSecret) {
    const headers = lowerCaseNames(chosen.headers);
    if (chosen.apiKey !== undefined) headers.authorization = `Bearer ${readSecret(chosen.apiKey)}`;
    return { ...connectionAt(chosen.baseUrl, headers, quirks), tasks: tasks(splitBaseUrl(chosen.baseUrl).path) };
  },
});

/** A connection to chat completions, and to what stands beside them, under a base URL. */
export function connectionAt(url: string, headers: Readonly<Record<string, string>>, quirks: Quirks): Connection {
  const { origin, path } = splitBaseUrl(url);
  const chat = {
    dialect: openaiChatWith(quirks),
    address: (body: Parameters<typeof wordedFor>[1]) => ({
      path: `${path}/chat/completions`,
      body: wordedFor(quirks, body),
    }),
  };
  return { origin, apis: [chat], tasks: tasksUnder(path), headers };
}
