/** Starts a program on a Node that is new enough. Plain JavaScript that old versions can read. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const needed = [24, 15];

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** npm has a Node as a package for these. */
const carried = ['linux-arm64', 'linux-x64'];

function cure() {
  const system = `${process.platform}-${process.arch}`;
  return carried.includes(system)
    ? `install it, or let npm bring one along: npm install --save-optional node-${system}@${needed[0]}`
    : 'install it';
}

/** A Node that npm installed beside the program or beside the caller. */
function installedNode(from) {
  const name = `node-${process.platform}-${process.arch}`;
  for (let directory = from; ; directory = dirname(directory)) {
    const candidate = join(directory, 'node_modules', name, 'bin', 'node');
    if (existsSync(candidate)) return candidate;
    if (dirname(directory) === directory) return undefined;
  }
}

/** A source checkout has the TypeScript beside the `bin` folder; the published package has only `dist`. */
function entryOf(packageDirectory, name) {
  const source = join(packageDirectory, `${name}.ts`);
  return existsSync(source)
    ? { file: source, flags: ['--conditions=source'] }
    : { file: join(packageDirectory, 'dist', `${name}.js`), flags: [] };
}

/** Where Node keeps what it compiled: code that will run, so a folder that only this user can write to, or none. */
function ownCache() {
  const given = process.env['XDG_CACHE_HOME'];
  try {
    const directory = join(given && isAbsolute(given) ? given : join(homedir(), '.cache'), 'headgate', 'compiled');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(directory);
    return uid === process.getuid() && (mode & 0o022) === 0 ? directory : undefined;
  } catch {
    // It only saves time.
    return undefined;
  }
}

function runOn(node, parameters) {
  // Replaces this process where that is possible, so that signals and exit codes need no passing on.
  if (typeof process.execve === 'function') process.execve(node, [node, ...parameters], process.env);
  const child = spawn(node, parameters, { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`headgate: ${node} cannot be started: ${error.message}\n`);
    process.exitCode = 3;
  });
  child.on('exit', (code, signal) => {
    if (!signal) return process.exit(code ?? 3);
    for (const each of signals) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}

/** `binUrl` is the `import.meta.url` of a file in a package's `bin` folder; the program is `<name>` at the package's top. */
export async function start(binUrl, name) {
  const packageDirectory = join(dirname(fileURLToPath(binUrl)), '..');
  const { file, flags } = entryOf(packageDirectory, name);
  const node = isNewEnough(process.versions.node)
    ? process.execPath
    : installedNode(packageDirectory) || installedNode(process.cwd());
  if (!node) {
    process.stderr.write(
      `headgate: Node ${process.versions.node} is too old, ${needed.join('.')} or newer is needed; ${cure()}\n`,
    );
    process.exitCode = 3;
    return;
  }
  const cache = flags.length === 0 ? process.env['NODE_COMPILE_CACHE'] || ownCache() : undefined;
  // For the Node that takes over, and for threads and processes that the program starts.
  if (cache) process.env['NODE_COMPILE_CACHE'] = cache;
  if (node === process.execPath && flags.length === 0) {
    if (cache) module.enableCompileCache(cache);
    const { run } = await import(pathToFileURL(file).href);
    process.exitCode = await run(process.argv.slice(2));
  } else {
    runOn(node, [...flags, file, ...process.argv.slice(2)]);
  }
}
