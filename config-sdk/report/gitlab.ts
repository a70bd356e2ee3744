/** Findings as a Code Quality report, which GitLab shows on a merge request (docs.gitlab.com/ci/testing/code_quality). */
import { createHash } from 'node:crypto';
import { furtherWords, type Finding } from '../findings.ts';

const severities: Readonly<Record<Finding['severity'], string>> = { error: 'critical', warning: 'minor', note: 'info' };

/** `prefix` stands between the top of the checkout and the files, with a slash at its end, or is empty. */
export function gitlab(findings: readonly Finding[], prefix: string): string {
  const seen = new Map<string, number>();
  const issues = findings.map((each) => {
    const { file, line, severity, code, message } = each;
    const path = prefix + file;
    const more = furtherWords(each);
    // By it GitLab knows a finding again on the target branch, where it may stand on another line; alike ones are counted.
    const subject = JSON.stringify([path, code, message]);
    const count = (seen.get(subject) ?? 0) + 1;
    seen.set(subject, count);
    return {
      description: more ? `${message}; ${more}` : message,
      check_name: code,
      fingerprint: createHash('sha256').update(`${subject} ${count}`).digest('hex'),
      severity: severities[severity],
      location: { path, lines: { begin: line } },
    };
  });
  return `${JSON.stringify(issues, null, 2)}\n`;
}
