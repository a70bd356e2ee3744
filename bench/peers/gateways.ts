/** Gateways for models by others, as their packages bring them, each with as little switched on as it can be. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from '../../test/support/tools.ts';
import { dialectNames, type DialectName } from '../side-by-side/dialects.ts';
import { Absent, type Row } from '../side-by-side/row.ts';
import { modelOf, works, type Asking, type Work } from '../side-by-side/works.ts';
import { cache, installed, runIn } from './install.ts';

const versions = { portkey: '1.15.2', litellm: '1.102.4', bifrost: '1.6.3' };
const vendorModels = [...new Set(works.map(modelOf))];

/** Under the base that each vendor's own address has. */
const baseUrl = (vendor: DialectName, upstreamPort: number): string =>
  `http://127.0.0.1:${upstreamPort}${{ openai: '/v1', anthropic: '/v1', gemini: '/v1beta' }[vendor]}`;

/** `overrides` are versions of what it depends on, where the newest that it takes breaks it. */
const fromNpm = (
  name: keyof typeof versions,
  packageName: string,
  overrides: Readonly<Record<string, string>> = {},
): Promise<string> =>
  installed(`${name}-${versions[name]}`, async (folder) => {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }));
    await runIn(folder, 'npm', 'install', '--no-audit', '--no-fund', `${packageName}@${versions[name]}`);
  });

/** With 1.14 and later, every stream of it is answered by 500: "immutable". */
const portkeyFolder = (): Promise<string> =>
  fromNpm('portkey', '@portkey-ai/gateway', { '@hono/node-server': '1.13.8' });

const portkeyNames: Readonly<Record<DialectName, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'google',
};

const portkey: Row = {
  name: 'portkey',
  title: '@portkey-ai/gateway, its own Node entry',
  async prepare() {
    await portkeyFolder();
    return `${versions.portkey} on @hono/node-server 1.13.8`;
  },
  async launch({ port }) {
    const folder = await portkeyFolder();
    const entry = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
    return {
      program: process.execPath,
      words: [entry, `--port=${port}`, '--headless'],
      env: { TRUSTED_CUSTOM_HOSTS: '127.0.0.1' },
    };
  },
  ask(work, { upstreamPort }): Asking | undefined {
    const { client, vendor } = work;
    if (client === 'rest' || vendor === 'rest' || client === 'gemini') return undefined;
    const headers = {
      'x-portkey-provider': portkeyNames[vendor],
      'x-portkey-custom-host': baseUrl(vendor, upstreamPort),
      // It reads the vendor's key there, whoever the vendor is.
      authorization: 'Bearer sk-vendor',
    };
    return { model: modelOf(work), headers };
  },
};

const masterKey = 'sk-of-the-benchmark';

const litellmConfiguration = (upstreamPort: number): string =>
  JSON.stringify({
    model_list: dialectNames.flatMap((vendor) =>
      vendorModels.map((model) => ({
        model_name: `${vendor}-${model}`,
        litellm_params: {
          model: `${vendor}/${model}`,
          api_key: 'sk-vendor',
          // Anthropic's client adds the version itself.
          api_base: baseUrl(vendor, upstreamPort).replace(vendor === 'anthropic' ? /\/v1$/ : /$^/, ''),
        },
      })),
    ),
    general_settings: { master_key: masterKey },
    litellm_settings: { num_retries: 0, request_timeout: 120, telemetry: false },
  });

async function litellmProgram(): Promise<string> {
  const python = onPath('python3');
  if (python === undefined) throw new Absent('python3 is not installed: apt-get install python3-venv');
  const name = `litellm-${versions.litellm}`;
  // Programs of such a folder name it: it must not be moved when it is complete.
  const folder = join(cache, `${name}-environment`);
  await installed(name, async (mark) => {
    await runIn(mark, python, '-m', 'venv', folder);
    await runIn(mark, join(folder, 'bin/pip'), 'install', '--quiet', `litellm[proxy]==${versions.litellm}`);
  });
  return join(folder, 'bin/litellm');
}

const litellm: Row = {
  name: 'litellm',
  title: 'LiteLLM proxy, one worker, a master key, no database',
  async prepare() {
    await litellmProgram();
    return versions.litellm;
  },
  async launch({ port, upstreamPort, folder }) {
    const file = join(folder, 'config.yaml');
    await writeFile(file, litellmConfiguration(upstreamPort));
    return {
      program: await litellmProgram(),
      words: ['--config', file, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
      env: { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR' },
    };
  },
  ask: (work) =>
    work.client === 'rest' || work.client === 'gemini'
      ? undefined
      : { model: `${work.vendor}-${modelOf(work)}`, key: masterKey },
};

/** The npm package fetches a program from its maker when it is started first; where that cannot be reached, there is none. */
async function bifrostProgram(): Promise<string> {
  const own = onPath('bifrost-http');
  if (own !== undefined) return own;
  const folder = await fromNpm('bifrost', '@maximhq/bifrost');
  const bin = join(folder, 'bifrost');
  if (!existsSync(bin)) {
    const entry = join(folder, 'node_modules/@maximhq/bifrost/bin.js');
    const { stderr } = spawnSync(process.execPath, [entry, '-help'], {
      env: { PATH: process.env['PATH'], HOME: folder, XDG_CACHE_HOME: folder },
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (!existsSync(bin))
      throw new Absent(`its package could not fetch its program: ${/(Error: .*)/.exec(stderr)?.[1] ?? 'no answer'}`);
  }
  const file = (await readdir(bin, { recursive: true })).find((name) => /bifrost-http/.test(name));
  if (file === undefined) throw new Absent('its package did not fetch its program');
  return join(bin, file);
}

const bifrost: Row = {
  name: 'bifrost',
  title: 'Bifrost, one processor, no database',
  async prepare() {
    await bifrostProgram();
    return versions.bifrost;
  },
  async launch({ port, upstreamPort, folder }) {
    const home = join(folder, 'bifrost');
    await mkdir(home);
    const provider = {
      keys: [{ name: 'bench', value: 'sk-vendor', models: vendorModels, weight: 1 }],
      // It adds the version itself.
      network_config: { base_url: `http://127.0.0.1:${upstreamPort}`, default_request_timeout_in_seconds: 120 },
      concurrency_and_buffer_size: { concurrency: 8_192, buffer_size: 16_384 },
    };
    const configuration = {
      client: { enable_logging: false },
      providers: Object.fromEntries(dialectNames.map((vendor) => [vendor, provider])),
    };
    await writeFile(join(home, 'config.json'), JSON.stringify(configuration));
    return {
      program: await bifrostProgram(),
      words: ['-app-dir', home, '-host', '127.0.0.1', '-port', String(port), '-log-level', 'error'],
    };
  },
  ask: (work: Work) => (work.client === 'openai' ? { model: `${work.vendor}/${modelOf(work)}` } : undefined),
};

export const gatewayRows: readonly Row[] = [portkey, litellm, bifrost];
