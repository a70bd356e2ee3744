/** A plan as one JSON document. */
import { plainText, risks } from '../change.ts';
import type { TitledPlan } from '../plan.ts';

function place(text: string) {
  const [, file = text, line, column] = /^(.*?):(\d+):(\d+)$/.exec(text) ?? [];
  return { file, ...(line !== undefined && { line: Number(line), column: Number(column) }) };
}

export function json({ gateway, base, head, notes, changes, prompts, traffic }: TitledPlan): string {
  const document = {
    gateway,
    base: plainText(base),
    head: plainText(head),
    notes: notes.map(plainText),
    counts: Object.fromEntries(risks.map((risk) => [risk, changes.filter((each) => each.risk === risk).length])),
    changes: changes.map((change) => ({
      kind: change.kind,
      risk: change.risk,
      object: change.object,
      sentence: plainText(change.sentence),
      details: change.details.map(plainText),
      ...(change.place && { ...place(change.place.text), side: change.place.side }),
    })),
    prompts: prompts.map(({ object, title, tokens, costs, diff }) => ({
      object,
      title: plainText(title),
      tokens,
      costsOfThousandRequests: costs.map(({ model, target, before = null, after = null }) => ({
        model,
        target,
        before,
        after,
      })),
      diff,
    })),
    ...(traffic && { traffic }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
