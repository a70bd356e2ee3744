/** The contract of a surface: an API that clients speak to, under its own fixed paths. */
import type { ClientDialect } from '../dialects/dialect.ts';

export interface Surface {
  /** Paths of its model calls, all `POST`. */
  readonly callPaths: readonly string[];
  /** Path that lists the models, `GET`; `<path>/<name>` tells of one. */
  readonly modelsPath: string;
  readonly dialect: ClientDialect;
  /** The list of models, and one of them, in this API's words. */
  writeModels(names: readonly string[]): object;
  writeModel(name: string): object;
}
