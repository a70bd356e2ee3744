/** One request under one configuration: every decision, and what is near where something was not found. */
import { RequestProblem, surfacePaths, type AskedRequest, type Decider, type Trace } from '@headgate/runtime/decide';
import { near } from './near.ts';

export interface Nearby {
  /** A model, the path of a route, or a consumer. */
  readonly name: string;
  /** `file:line:column`; undefined for paths that are always there. */
  readonly at?: string;
}

export interface Explanation extends Trace {
  /** Present where the model or the path is not known, or claims stand for nobody or for several. */
  readonly near?: readonly Nearby[];
}

function located(decider: Decider, name: string, object: string | undefined): Nearby {
  const at = object === undefined ? undefined : decider.sourceOf(object);
  return at === undefined ? { name } : { name, at };
}

function nearbyModels(decider: Decider, { body }: AskedRequest): readonly Nearby[] {
  const asked = typeof body === 'object' && body !== null ? (body as { model?: unknown }).model : undefined;
  if (typeof asked !== 'string') return [];
  return near(asked, decider.names('models')).map((name) => located(decider, name, `models.${name}`));
}

function nearbyPaths(decider: Decider, path: string): readonly Nearby[] {
  const routes = new Map<string, string>(
    Object.entries(decider.snapshot.routes).map(([name, route]) => [route.path, name]),
  );
  return near(path, [...routes.keys(), ...surfacePaths]).map((each) => {
    const name = routes.get(each);
    return located(decider, each, name === undefined ? undefined : `routes.${name}`);
  });
}

const mostNear = 5;

/** Throws `RequestProblem` for a consumer that does not exist: by name, no such thing can be asked live. */
export async function explain(decider: Decider, request: AskedRequest): Promise<Explanation> {
  const { consumer } = request;
  const consumers = decider.names('consumers');
  if (consumer !== undefined && !consumers.includes(consumer)) {
    const [meant] = near(consumer, consumers);
    const cure = meant === undefined ? `there are ${consumers.join(', ') || 'none'}` : `did you mean '${meant}'?`;
    throw new RequestProblem([`no consumer is named '${consumer}': ${cure}`]);
  }
  const trace = decider.explain(await decider.decide(request));
  const { code } = trace.refusal ?? {};
  if (code === 'model_not_found') return { ...trace, near: nearbyModels(decider, request) };
  if (code === 'invalid_token' && request.consumer === undefined) {
    const near = decider.meant(request).map((name) => located(decider, name, `consumers.${name}`));
    return { ...trace, near: near.slice(0, mostNear) };
  }
  if (code === 'route_not_found') return { ...trace, near: nearbyPaths(decider, trace.path) };
  return trace;
}
