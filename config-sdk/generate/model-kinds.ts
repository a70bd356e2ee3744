/** What the models of a configuration are for: which operations there are to describe. */
import type { ModelKind, ModelSnapshot, Snapshot, TargetNode } from '@headgate/runtime/snapshot';

function* targetsIn(node: TargetNode): Generator<{ readonly provider: string; readonly model: string }> {
  if (node.kind === 'target') yield node;
  else for (const member of node.of) yield* targetsIn(member.node);
}

/** More than one only where the configuration mixes them. */
export const kindsOf = ({ providers }: Snapshot, { targets }: ModelSnapshot): ReadonlySet<ModelKind> =>
  new Set([...targetsIn(targets)].map(({ provider, model }) => providers[provider]?.models[model]?.kind ?? 'chat'));

/** The names of the models that are for `kind`, in order. */
export const modelsFor = (snapshot: Snapshot, kind: ModelKind): readonly string[] =>
  Object.entries(snapshot.models)
    .filter(([, model]) => kindsOf(snapshot, model).has(kind))
    .map(([name]) => name)
    .sort();
