/** The reference of the models whose facts a configuration need not write. */
import { catalogue } from '../config-sdk/catalogue/catalogue.ts';
import { pricesAt, providerKinds, type PriceTable } from '../runtime/snapshot.ts';

const thousands = (tokens: number): string => tokens.toLocaleString('en-GB');

/** Those of the day on which the catalogue was taken. */
function told(prices: PriceTable): string {
  const { input, output } = pricesAt(prices, Date.parse(catalogue.taken));
  return `${input} / ${output}`;
}

const sections = Object.keys(providerKinds)
  .filter((kind) => Object.hasOwn(catalogue.vendors, kind))
  .map((kind) => {
    const rows = Object.entries(catalogue.vendors[kind] ?? {}).map(
      ([id, { kind: use, contextWindow, prices, deprecation }]) =>
        `| \`${id}\` | ${use} | ${thousands(contextWindow)} | ${prices ? told(prices) : ''} | ${deprecation ?? ''} |`,
    );
    return `## kind \`'${kind}'\`

| id | for | window | USD per million tokens, in / out | ends |
| --- | --- | --- | --- | --- |
${rows.join('\n')}`;
  });

export const modelsPage = `# The models that Headgate knows

What is said here need not be written in \`models\` of a provider; what is written wins. At the vendor's own endpoint \`check\` warns of
other ids (\`model_unknown\`). Source: ${catalogue.source}

${sections.join('\n\n')}
`;
