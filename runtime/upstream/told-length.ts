/**
 * How much of a conversation that is too long would have fitted, by the numbers in the vendor's own words. Those words, of which none are
 * kept, were seen in reports: github.com/chathub-dev/chathub/issues/126 and /ruipeterpan/specreason/issues/4 (OpenAI, vLLM),
 * /anthropics/claude-code/issues/12186 and /docker/docker-agent/issues/569 (Anthropic), /google-gemini/gemini-cli/issues/6678 (Gemini).
 */
import type { JsonObject } from '../call.ts';

function messageOf(body: JsonObject | undefined): string {
  const error = body?.['error'];
  const { message } =
    typeof error === 'object' && error !== null && !Array.isArray(error) ? (error as JsonObject) : (body ?? {});
  return typeof message === 'string' ? message.slice(0, 2_000) : '';
}

/** Smaller numbers count something else. */
const fewestTokens = 128;

interface Told {
  readonly sent: number;
  readonly limit: number;
}

const numbers = (...texts: (string | undefined)[]): number[] => texts.map(Number);

function told(message: string): Told | undefined {
  // `178959 + 64000 > 200000`: what is asked for as output is not to be cut.
  const [, input, output, most] = /(\d+) \+ (\d+) > (\d+)/.exec(message) ?? [];
  if (most !== undefined) {
    const [sent = 0, asked = 0, limit = 0] = numbers(input, output, most);
    return { sent, limit: limit - asked };
  }
  // `maximum context length is 8192 …, you requested 8203 tokens (7691 in the messages, 512 in the completion)`
  const [, window, messages, completion] =
    /length is (\d+) tokens.*?\((\d+) in (?:the messages|your prompt)[,;] (\d+) (?:in|for) the completion\)/.exec(
      message,
    ) ?? [];
  if (completion !== undefined) {
    const [limit = 0, sent = 0, asked = 0] = numbers(window, messages, completion);
    return { sent, limit: limit - asked };
  }
  if (!/token/i.test(message)) return undefined;
  const [sent, limit] = [...new Set(message.match(/\d+/g)?.map(Number))]
    .filter((count) => count >= fewestTokens)
    .sort((a, b) => b - a);
  return sent === undefined || limit === undefined ? undefined : { sent, limit };
}

/** Between 0 and 1; undefined where it does not say. */
export function toldShare(body: JsonObject | undefined): number | undefined {
  const { sent, limit } = told(messageOf(body)) ?? { sent: 0, limit: 0 };
  return limit > 0 && sent > limit ? limit / sent : undefined;
}
