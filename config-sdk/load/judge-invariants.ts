/** Holds a configuration to its invariants, in the process that evaluated it: only there do their functions exist. */
import { decisionGraph, givenOn, type DecisionGraph, type Path } from '@headgate/runtime/graph';
import { snapshotSchema } from '@headgate/runtime/snapshot';
import { compile } from '../compile/compile.ts';
import { findingTable } from '../findings.ts';
import { holdsOf, type Holds } from '../invariant.ts';
import { declared } from '../site.ts';
import type { BrokenInvariant, BrokenPath, LoadDocument } from './document.ts';

function textOf(path: Path): BrokenPath {
  const { consumer, entry, end, chance } = path;
  const given = givenOn(path);
  return {
    consumer: consumer.name,
    sort: entry.sort,
    entry: entry.name,
    end: end.model === undefined ? end.name : `${end.name}/${end.model}`,
    fallback: chance === 0,
    ...(given && { given }),
  };
}

function judge(holds: Holds, graph: DecisionGraph): Omit<BrokenInvariant, 'declaration'> | undefined {
  const verdict: unknown = holds(graph);
  if (verdict === true || verdict === undefined) return undefined;
  if (verdict === false) {
    const { counterexample } = graph;
    return counterexample ? { paths: 1, path: textOf(counterexample) } : { paths: 0 };
  }
  const broken = (Array.isArray(verdict) ? verdict : [verdict]) as readonly Path[];
  if (broken.length === 0) return undefined;
  const [path] = broken;
  if (typeof path !== 'object' || path === null || !('entry' in path))
    throw new TypeError('it answers with neither true or false nor paths');
  return { paths: broken.length, path: textOf(path) };
}

/** Told before each is judged, since that one may never answer. */
type Begins = (declaration: number, brokenSoFar: readonly BrokenInvariant[]) => void;

/** Nothing is said while the configuration has errors: its paths are not known then. */
export function judgeInvariants(document: LoadDocument, directory: string, begins: Begins): readonly BrokenInvariant[] {
  const { problems, snapshot } = compile(document, directory);
  if (!snapshot || problems.some(({ code }) => findingTable[code].severity === 'error')) return [];
  const { data } = snapshotSchema.safeParse(snapshot);
  if (!data) return [];
  const broken: BrokenInvariant[] = [];
  for (const [declaration, handle] of [...declared().keys()].entries()) {
    const holds = holdsOf(handle);
    if (!holds) continue;
    begins(declaration, broken);
    try {
      const found = judge(holds, decisionGraph(data));
      if (found) broken.push({ declaration, ...found });
    } catch (error) {
      const failure =
        error instanceof Error ? `${error.name}: ${error.message}` : 'it threw something that is no error';
      broken.push({ declaration, paths: 0, failure });
    }
  }
  return broken;
}
