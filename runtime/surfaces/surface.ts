/** The contract of a surface: an API that clients speak to, under its own fixed paths. */
import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../call.ts';
import type { ClientDialect, WireError } from '../dialects/dialect.ts';
import type { Holdings } from '../dialects/holdings.ts';
import type { ClientTask } from '../dialects/task.ts';
import type { ModelKind } from '../model-kind.ts';

/** One sort of model call that a surface takes: a path, always `POST`, and the dialect of what is sent there. */
export interface SurfaceCall {
  /** `{model}` stands for the model's name where the body does not tell it: the dialect reads it as the body's `model`. */
  readonly path: string;
  /** Parameters of the query without which the path means something that is not served here. */
  readonly query?: Readonly<Record<string, string>>;
  readonly dialect: ClientDialect;
  /** What the path says in place of the body, such as `stream: true`: the dialect reads it as fields of the body. */
  readonly says?: JsonObject;
  /** Where a call asks only how many tokens its input has: the answer, in this API's words. */
  readonly writeCount?: (tokens: number) => JsonObject;
}

/** One operation without a conversation that a surface takes: a path, always `POST`, and what it does with which models. */
export interface SurfaceTask {
  /** `{model}` stands for the model's name where the body does not tell it. */
  readonly path: string;
  readonly task: ClientTask;
  readonly kind: ModelKind;
  /** Takes forms with files beside JSON. */
  readonly takesForms?: boolean;
}

export interface Surface {
  readonly calls: readonly [SurfaceCall, ...SurfaceCall[]];
  readonly tasks?: readonly SurfaceTask[];
  /** What clients keep at a vendor of this API. */
  readonly holdings?: Holdings;
  /** Path that lists the models, `GET`; `<path>/<name>` tells of one. */
  readonly modelsPath: string;
  /** The same list, where another version of the API has it. */
  readonly otherModelsPath?: string;
  /** The list of models, and one of them, in this API's words. */
  writeModels(names: readonly string[]): object;
  writeModel(name: string): object;
  /** A failure where no call of this surface was found. */
  writeError(error: WireError): JsonObject;
  /** Tells this API's clients from others' where two surfaces share a path; without it, whoever shows nothing else is meant. */
  isSpokenBy?(headers: IncomingHttpHeaders): boolean;
  /**
   * `generate openapi` has schemas of its first call, its errors and its lists of models; for the others it refers to the
   * documentation of their vendors.
   */
  readonly hasOwnSchemas?: true;
  /** The header in which this API's clients look for the request's id, where it is not `x-request-id`. */
  readonly idHeader?: string;
}
