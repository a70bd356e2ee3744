/** The root of a repository's configuration. */
import { declare } from './site.ts';
import type { AcceptableCode } from './findings.ts';
import type { Consumer, Duration, Gateway, Model, Route } from './handles.ts';

/** A list, a record, or a whole module: `import * as models from './models.ts'`. */
type Many<Handle> = readonly Handle[] | { readonly [name: string]: Handle };

/** Any declared object. */
interface Declared {
  readonly kind: string;
  readonly id: string;
}

export interface Acceptance {
  /** A code that `check` reports; `docs/reference/findings.md` says which may be accepted. */
  code: AcceptableCode;
  /** The object that the finding is about, or the path of a file. Without it, everywhere. */
  in?: Declared | string;
  /** Why it is right here: what the next reader should know. */
  reason: string;
}

export interface RolloutStage {
  /** Of the consumers, the part that is served by the new revision: more than 0, less than 1, more than the stage before. */
  share: number;
  /** How long, from `'1s'` to `'7d'`. */
  for: Duration;
}

export interface Rollout {
  /** After the last one, the revision serves everyone, and is on trial as any other. At most ten. */
  stages: readonly [RolloutStage, ...RolloutStage[]];
}

export interface GatewaySpec {
  /** Which gateway this is. Written into every artifact, so that one meant for another gateway is refused. */
  name: string;
  /** What clients may ask for by name. */
  models: Many<Model>;
  /** Plain HTTP routes. */
  routes?: Many<Route>;
  /** Who may call. */
  consumers: Many<Consumer>;
  /**
   * What consumers without `models` or `routes` may use: all that is served (`'all'`, default), or nothing but what is declared for
   * them, their team or their organisation (`'declared'`).
   */
  access?: 'all' | 'declared';
  /**
   * Why this revision may take most of what was served away. Without it, the runtime holds a revision with neither models
   * nor routes, and one that drops more than half of the models, routes, providers or consumers that it serves. Remove it
   * with the next change.
   */
  allowShrink?: string;
  /** Findings that this repository lives with. Each becomes a note that shows its reason, and an entry that excuses nothing is a finding itself. */
  accept?: readonly Acceptance[];
  /**
   * Models and routes that are taken away on purpose, or changed so that requests no longer fit, and why:
   * `{ 'routes.legacy': 'replaced by orders' }`. Without it, a revision under which requests fail that the one before
   * would have served is taken back. May stay.
   */
  removed?: { readonly [object: `models.${string}` | `routes.${string}`]: string };
  /**
   * In which steps the revision that says so reaches consumers. Who is first depends on the consumer's name and the commit
   * alone. While a stage lasts, the revision is compared with the one before it, and dropped when more requests fail with
   * it. Absent: it serves everyone at once. A revision is rolled out as it says itself, not as the one before it says.
   */
  rollout?: Rollout;
}

/** Everything this gateway serves. Whatever is not reachable from here is not published, and `check` says so. */
export function defineGateway(spec: GatewaySpec): Gateway {
  return declare(defineGateway, spec.name, spec, { kind: 'gateway' });
}
