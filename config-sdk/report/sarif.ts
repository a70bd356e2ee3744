/** Findings as SARIF 2.1.0, for code scanning. */
import { entryOf, furtherWords, type Finding } from '../findings.ts';
import { referenceAddress } from './reference.ts';

export interface SarifContext {
  /** Stands between the top of the checkout and the files, with a slash at its end, or is empty. */
  readonly prefix: string;
  /** As our own package.json has it. */
  readonly repository: unknown;
}

function rule(id: string, repository: unknown) {
  const entry = entryOf(id);
  if (!entry) return { id, shortDescription: { text: 'Reported by the TypeScript compiler.' } };
  const { meaning, hint, why, severity } = entry;
  const helpUri = referenceAddress(repository, id);
  return {
    id,
    ...(helpUri !== undefined && { helpUri }),
    shortDescription: { text: meaning },
    fullDescription: { text: `${meaning} ${why}` },
    help: { text: `${why} ${hint}`, markdown: `${why}\n\n**Cure:** ${hint}` },
    defaultConfiguration: { level: severity },
  };
}

export function sarif(findings: readonly Finding[], { prefix, repository }: SarifContext): string {
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
            artifactLocation: { uri: encodeURI(prefix + file), uriBaseId: '%SRCROOT%' },
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
    runs: [
      {
        tool: { driver: { name: 'headgate', rules: codes.map((code) => rule(code, repository)) } },
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
