/** Findings as one JSON document. */
import { type Finding, hasErrors } from '../findings.ts';

export function json(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return `${JSON.stringify({ ok: !hasErrors(findings), errors, warnings: findings.length - errors, findings }, null, 2)}\n`;
}
