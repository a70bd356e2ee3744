/** Findings as SARIF 2.1.0, for code scanning. */
import { type Finding, findingTable } from '../findings.ts';

const described: Readonly<Record<string, { readonly meaning: string; readonly hint: string } | undefined>> =
  findingTable;

function rule(id: string) {
  const entry = described[id];
  const meaning = entry?.meaning ?? 'Reported by the TypeScript compiler.';
  return { id, shortDescription: { text: meaning }, ...(entry && { help: { text: entry.hint } }) };
}

export function sarif(findings: readonly Finding[]): string {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  const results = findings.map(({ file, line, column, severity, code, message, hint }) => ({
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: hint ? `${message}; ${hint}` : message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(file), uriBaseId: '%SRCROOT%' },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
  }));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'headgate', rules: codes.map(rule) } }, columnKind: 'utf16CodeUnits', results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
