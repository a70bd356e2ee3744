/** Findings as workflow commands, which GitHub shows beside the line. */
import { furtherWords, type Finding } from '../findings.ts';

const text = (value: string): string => value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (value: string): string => text(value).replaceAll(':', '%3A').replaceAll(',', '%2C');

const commands: Readonly<Record<Finding['severity'], string>> = { error: 'error', warning: 'warning', note: 'notice' };

/** `prefix` stands between the top of the checkout and the files, with a slash at its end, or is empty. */
export function github(findings: readonly Finding[], prefix: string): string {
  return findings
    .map((each) => {
      const { file, line, column, severity, code, message } = each;
      const more = furtherWords(each);
      const place = `file=${property(prefix + file)},line=${line},col=${column},title=${property(code)}`;
      return `::${commands[severity]} ${place}::${text(more ? `${message}; ${more}` : message)}\n`;
    })
    .join('');
}
