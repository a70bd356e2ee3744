/** The root of a repository's configuration. */
import { declare } from './site.ts';
import type { Consumer, Gateway, Model, Route } from './handles.ts';

/** A list, a record, or a whole module: `import * as models from './models.ts'`. */
type Many<Handle> = readonly Handle[] | { readonly [name: string]: Handle };

export interface GatewaySpec {
  /** Which gateway this is. Written into every artifact, so that one meant for another gateway is refused. */
  name: string;
  /** What clients may ask for by name. */
  models: Many<Model>;
  /** Plain HTTP routes. */
  routes?: Many<Route>;
  /** Who may call. */
  consumers: Many<Consumer>;
}

/** Everything this gateway serves. Whatever is not reachable from here is not published, and `check` says so. */
export function defineGateway(spec: GatewaySpec): Gateway {
  return declare(defineGateway, spec.name, spec, { kind: 'gateway' });
}
