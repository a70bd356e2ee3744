/** The operations beside chat as OpenAPI paths: those that some model of the configuration is for. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import type * as surfaces from '@headgate/runtime/surfaces';
import { modelsFor } from './model-kinds.ts';
import { codesFor, failures, type Traits } from './openapi-failures.ts';
import { answerHeaders, asDocumented, headersOf, modelParameter, operationOf } from './openapi-parts.ts';

type Surface = (typeof surfaces)[keyof typeof surfaces];
type SurfaceTask = NonNullable<Surface['tasks']>[number];

interface Words {
  readonly traits: Traits;
  /** The envelope in which a surface words its errors. */
  readonly errorsOf: (surface: string) => object;
}

function operation(snapshot: Snapshot, surface: string, { path, kind, takesForms }: SurfaceTask): object {
  const description = `As the documentation of ${surface} has it.`;
  const model = { type: 'string', enum: modelsFor(snapshot, kind) };
  const isInPath = path.includes('{model}');
  const named = { type: 'object', description, properties: { model }, required: ['model'] };
  const schema = isInPath ? { type: 'object', description } : named;
  return {
    operationId: operationOf(path),
    tags: ['models'],
    summary: `Ask a model for ${kind}`,
    ...(isInPath && { parameters: [{ ...modelParameter, schema: model }] }),
    requestBody: {
      required: true,
      content: { 'application/json': { schema }, ...(takesForms && { 'multipart/form-data': { schema } }) },
    },
  };
}

export function taskPaths(
  snapshot: Snapshot,
  all: readonly (readonly [name: string, surface: Surface])[],
  { traits, errorsOf }: Words,
): Record<string, object> {
  const codes = codesFor({ ...traits, needsValues: false });
  const paths = all.flatMap(([name, { tasks = [] }]) =>
    tasks
      .filter(({ kind }) => modelsFor(snapshot, kind).length > 0)
      .map((task): [string, object] => {
        const answered = {
          description: 'The answer: JSON, text, audio or a stream of events, as that API has it.',
          headers: { ...answerHeaders(traits), ...headersOf(['headgate-cache']) },
          content: { ...asDocumented(name), '*/*': {} },
        };
        const responses = { 200: answered, ...failures(codes, errorsOf(name)) };
        return [task.path, { post: { ...operation(snapshot, name, task), responses } }];
      }),
  );
  return Object.fromEntries(paths);
}
