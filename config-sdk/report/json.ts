/** Findings as one JSON document. */
import { countOf, hasErrors, type Finding } from '../findings.ts';

export function json(findings: readonly Finding[]): string {
  const counts = {
    errors: countOf(findings, 'error'),
    warnings: countOf(findings, 'warning'),
    accepted: countOf(findings, 'note'),
  };
  return `${JSON.stringify({ ok: !hasErrors(findings), ...counts, findings }, null, 2)}\n`;
}
