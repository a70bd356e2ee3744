/** What was found of invariants while evaluating, as problems with a request that shows each. */
import { requestTo } from '@headgate/runtime/graph';
import type { SnapshotInput } from '@headgate/runtime/snapshot';
import type { BrokenPath, LoadDocument } from '../load/document.ts';
import type { Problem } from '../rules/rule.ts';

function pathInWords({ consumer, sort, entry, end, fallback }: BrokenPath, paths: number): string {
  const others = paths > 1 ? `, and ${paths - 1} other path${paths === 2 ? '' : 's'}` : '';
  return `consumer '${consumer}' asks for ${sort} '${entry}' and may come to '${end}'${fallback ? ' as a fallback' : ''}${others}`;
}

function hintFor(path: BrokenPath, snapshot: SnapshotInput): string {
  return `see it with: echo '${JSON.stringify(requestTo(path, snapshot))}' | npx --no-install headgate explain -`;
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
