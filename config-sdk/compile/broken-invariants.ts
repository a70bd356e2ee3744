/** What was found of invariants while evaluating, as problems with a request that shows each. */
import { requestTo } from '@headgate/runtime/graph';
import { snapshotSchema, type Snapshot, type SnapshotInput } from '@headgate/runtime/snapshot';
import { requestFields } from '../generate/requests.ts';
import type { BrokenPath, LoadDocument } from '../load/document.ts';
import type { Problem } from '../rules/rule.ts';

function pathInWords({ consumer, sort, entry, end, fallback }: BrokenPath, paths: number): string {
  const others = paths > 1 ? `, and ${paths - 1} other path${paths === 2 ? '' : 's'}` : '';
  return `consumer '${consumer}' asks for ${sort} '${entry}' and may come to '${end}'${fallback ? ' as a fallback' : ''}${others}`;
}

/** A value for each that the prompt of the model asks requests for. */
function promptValues(name: string, snapshot: Snapshot, sort: 'header' | 'metadata'): Record<string, string> {
  const model = snapshot.models[name];
  const fields = model ? requestFields(snapshot, model, sort).filter(({ isRequired }) => isRequired) : [];
  return Object.fromEntries(fields.map((field) => [field.name, field.choices?.[0] ?? 'example']));
}

function hintFor(path: BrokenPath, input: SnapshotInput): string | undefined {
  const { data: snapshot } = snapshotSchema.safeParse(input);
  if (!snapshot) return undefined;
  const { entry, given = {} } = path;
  const headers = { ...promptValues(entry, snapshot, 'header'), ...given.headers };
  const metadata = { ...promptValues(entry, snapshot, 'metadata'), ...given.metadata };
  const request = JSON.stringify(requestTo({ ...path, given: { ...given, headers, metadata } }, snapshot));
  return `see it with: echo '${request.replaceAll("'", String.raw`'\''`)}' | npx --no-install headgate explain -`;
}

export function brokenInvariants({ broken = [], declarations }: LoadDocument, snapshot: SnapshotInput): Problem[] {
  return broken.map(({ declaration, path, paths, failure }): Problem => {
    const name = declarations[declaration]?.id ?? '';
    const place = { declaration, path: [] };
    if (failure !== undefined)
      return { code: 'invariant_failed', place, message: `invariant '${name}' could not be judged: ${failure}` };
    const message = `invariant '${name}' does not hold`;
    if (!path) return { code: 'invariant_violated', place, message };
    const hint = hintFor(path, snapshot);
    return { code: 'invariant_violated', place, message: `${message}: ${pathInWords(path, paths)}`, hint };
  });
}
