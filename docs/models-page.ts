/** The reference of the models whose facts a configuration need not write. */
import { catalogue } from '../config-sdk/catalogue/catalogue.ts';
import { providerKinds } from '../runtime/snapshot.ts';

const thousands = (tokens: number): string => tokens.toLocaleString('en-GB');

const sections = Object.keys(providerKinds)
  .filter((kind) => Object.hasOwn(catalogue.vendors, kind))
  .map((kind) => {
    const rows = Object.entries(catalogue.vendors[kind] ?? {}).map(
      ([id, { kind: use, contextWindow, prices, deprecation }]) =>
        `| \`${id}\` | ${use} | ${thousands(contextWindow)} | ${prices ? `${prices.input} / ${prices.output}` : ''} | ${deprecation ?? ''} |`,
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
