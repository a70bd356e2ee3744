/** Findings as SARIF 2.1.0, for code scanning. */
import { entryOf, furtherWords, type Finding } from '../findings.ts';

function rule(id: string) {
  const entry = entryOf(id);
  if (!entry) return { id, shortDescription: { text: 'Reported by the TypeScript compiler.' } };
  const { meaning, hint, why, severity } = entry;
  return {
    id,
    shortDescription: { text: meaning },
    fullDescription: { text: `${meaning} ${why}` },
    help: { text: `${why} ${hint}`, markdown: `${why}\n\n**Cure:** ${hint}` },
    defaultConfiguration: { level: severity },
  };
}

export function sarif(findings: readonly Finding[]): string {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  const results = findings.map((each) => {
    const { file, line, column, severity, code, message, accepted } = each;
    const more = furtherWords(each);
    return {
      ruleId: code,
      ruleIndex: codes.indexOf(code),
      level: severity,
      message: { text: more ? `${message}; ${more}` : message },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: encodeURI(file), uriBaseId: '%SRCROOT%' },
            region: { startLine: line, startColumn: column },
          },
        },
      ],
      ...(accepted !== undefined && { suppressions: [{ kind: 'inSource', justification: accepted }] }),
    };
  });
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'headgate', rules: codes.map(rule) } }, columnKind: 'utf16CodeUnits', results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
