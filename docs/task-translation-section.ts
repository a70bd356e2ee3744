/** What of embeddings and rerankings survives each pair of dialects, found out by translating requests that have everything in them. */
import { readFileSync } from 'node:fs';
import type { JsonObject } from '../runtime/call.ts';
import { translationOf } from '../runtime/dialects/task-translation.ts';
import type { ClientTask } from '../runtime/dialects/task.ts';
import { providerKinds } from '../runtime/snapshot.ts';
import * as surfaces from '../runtime/surfaces/index.ts';
import { namesOfTranslatedTasks, taskFixture, tasksOf } from '../test/support/task-fixtures.ts';

const clients = new Map<string, ClientTask>(
  Object.values(surfaces).flatMap(({ tasks = [] }) =>
    tasks.flatMap(({ task }) => (task.embeddings || task.rerank ? [[task.name, task] as const] : [])),
  ),
);

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || 'nothing';

/** Of the first model of a vendor's fixtures, which is the one that takes most. */
function row(name: string, client: ClientTask): readonly string[] {
  const fixture = taskFixture(name);
  const tasks = tasksOf(providerKinds[fixture.kind], fixture.options);
  const vendor = tasks.find((task) => task.name === name);
  if (tasks.some((task) => task.name === client.name))
    return [`| \`${name}\` | everything: the body passes as it is |`];
  const translate = vendor && translationOf(client, vendor);
  if (!translate) return [];
  const file = new URL(`../test/fixtures/surfaces/${client.name}.json`, import.meta.url);
  const body = JSON.parse(readFileSync(file, 'utf8')) as JsonObject;
  const { dropped } = translate(body, fixture.cases[0]?.model ?? '');
  return [`| \`${name}\` | all but ${code([...new Set(dropped)].toSorted())} |`];
}

export const taskTranslations = [...clients]
  .map(([name, client]) => {
    const rows = namesOfTranslatedTasks().flatMap((vendor) => row(vendor, client));
    return `## A client of \`${name}\`\n\n| translated to | what arrives |\n| --- | --- |\n${rows.join('\n')}`;
  })
  .join('\n\n');
