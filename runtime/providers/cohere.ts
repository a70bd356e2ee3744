/** Cohere: conversations through its compatibility API, embeddings and reranking through its own. */
import { cohereEmbeddings, cohereRerank } from '../dialects/cohere-tasks.ts';
import { compatible } from './compatible.ts';
import type { TaskApi } from './provider.ts';
import { tasksUnder } from './task-apis.ts';

/** docs.cohere.com/reference/embed and /rerank; both hosts serve both (elastic/elasticsearch asks api.cohere.ai for /v2). */
function tasks(path: string): readonly TaskApi[] {
  const root = path.replace(/\/compatibility\/v1$/, '');
  const own = [cohereEmbeddings, cohereRerank].map((task) => {
    const place = task === cohereEmbeddings ? 'embed' : 'rerank';
    return { task, path: () => `${root}/v2/${place}` };
  });
  return [...own, ...tasksUnder(path).filter(({ task }) => !replaced.has(task.name))];
}
/** Its own say what the model is asked for, and have the dimensions that are asked for. */
const replaced: ReadonlySet<string> = new Set(['openai-embeddings', 'rerank']);

export const cohere = compatible({
  baseUrl: 'https://api.cohere.ai/compatibility/v1',
  quirks: {
    // Supported and unsupported fields are listed at docs.cohere.com/docs/compatibility-api.
    outputCap: 'max_tokens',
    // "Cohere's Compatibility API rejects the stream_options request field" (strandsagents.com, model providers, Cohere).
    streamUsage: 'unasked',
    lacks: { user: true, tool_choice: true, parallel_tool_calls: true },
    efforts: ['none', 'high'],
    answerSchema: 'json_object',
  },
  tasks,
});
