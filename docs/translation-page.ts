/** What of a request survives each pair of dialects, found out by translating a request that has everything in it. */
import { existsSync, readFileSync } from 'node:fs';
import type { JsonObject } from '../runtime/call.ts';
import type { ClientDialect, VendorDialect } from '../runtime/dialects/dialect.ts';
import type { Api } from '../runtime/providers/provider.ts';
import { schemaOf, providerKinds } from '../runtime/snapshot.ts';
import * as surfaces from '../runtime/surfaces/index.ts';
import { taskTranslations } from './task-translation-section.ts';
import { aboutKind, kindsWithFixtures } from '../test/support/provider-fixtures.ts';

const clients = new Map<string, ClientDialect>(
  Object.values(surfaces).flatMap(({ calls }) => calls.map(({ dialect }) => [dialect.name, dialect] as const)),
);

/** What a kind answers at its vendor's own address, where it has one. */
function apisOf(kind: string): readonly Api[] {
  const known = providerKinds[kind];
  const { baseUrl: _, ...atVendor } = aboutKind(kind).options;
  const text = JSON.stringify(aboutKind(kind).options).replaceAll('{upstream}', 'http://127.0.0.1:1');
  const options = [atVendor, JSON.parse(text) as JsonObject].find(
    (each) => (known && schemaOf(known.options))?.safeParse(each).success,
  );
  return known?.connect(schemaOf(known.options).parse(options), () => 'absent').apis ?? [];
}

/** The dialects that calls are translated to, each with the kinds that are spoken to in it. */
function vendorDialects(): Map<string, { readonly dialect: VendorDialect; readonly kinds: string[] }> {
  const found = new Map<string, { dialect: VendorDialect; kinds: string[] }>();
  for (const kind of kindsWithFixtures().toSorted()) {
    for (const { dialect } of apisOf(kind)) {
      const same = found.get(dialect.name);
      // Presets of one dialect differ in details, which docs/providers.md lists: what OpenAI itself is sent stands for them.
      if (!same || kind === 'openai') found.set(dialect.name, { dialect, kinds: [...(same?.kinds ?? []), kind] });
      else same.kinds.push(kind);
    }
  }
  return found;
}

/** A request of this dialect with everything that it has: `test/fixtures/surfaces/`. */
function fullRequest(name: string): JsonObject {
  const file = new URL(`../test/fixtures/surfaces/${name}.json`, import.meta.url);
  if (!existsSync(file)) throw new Error(`write ${file.pathname}: a request of ${name} with everything that it has`);
  return JSON.parse(readFileSync(file, 'utf8')) as JsonObject;
}

const vendors = vendorDialects();

function section([name, client]: readonly [string, ClientDialect]): string {
  const call = client.readCall(fullRequest(name));
  const rows = [...vendors].map(([vendor, { dialect }]) => {
    if (vendor === name) return `| \`${vendor}\` | everything: the body passes as it is |`;
    const { dropped } = dialect.writeCall({ ...call, model: 'm' }, { model: 'm', maxOutputTokens: 1_000 });
    return `| \`${vendor}\` | all but ${
      [...dropped]
        .toSorted()
        .map((each) => `\`${each}\``)
        .join(', ') || 'nothing'
    } |`;
  });
  return `## A client of \`${name}\`\n\n| translated to | what arrives |\n| --- | --- |\n${rows.join('\n')}`;
}

export const translationPage = `# What survives a translation

A client whose dialect the provider speaks itself gets it untouched. Every other call goes through one neutral form; what cannot be
carried is named in the answer's \`headgate-dropped\` header and in the log, never left out in silence. Below, for each pair, what
is dropped of a request that has everything in it (\`test/fixtures/surfaces/\`). Found out by translating it: this page is generated.

A model with \`strict: true\` leaves nothing out: a target that cannot carry all of a request is passed over, and where none is left
the client gets a 400 with code \`not_carried\` that names each target with the fields, before a quota is drawn from. \`explain\` shows
who was passed over and why. Each field below is one that such a model refuses there.

${[...vendors].map(([name, { kinds }]) => `- \`${name}\`: providers of kind ${kinds.map((kind) => `\`${kind}\``).join(', ')}`).join('\n')}

${[...clients]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(section)
  .join('\n\n')}

# Embeddings and reranking

Most vendors have \`openai-embeddings\` and \`rerank\` themselves, and get them untouched. These are asked in their own words:

${taskTranslations}
`;
