/** The few file operations the git library needs, on a Map: nothing survives a fetch, so nothing can pile up on disk. */

type Node = Buffer | 'directory';

interface FileStatus {
  readonly type: 'file' | 'dir';
  readonly mode: number;
  readonly size: number;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

export class MemoryFiles {
  readonly #nodes = new Map<string, Node>([['/', 'directory']]);

  /** Starts with these files, named by their full paths. */
  constructor(content: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(content)) {
      for (let folder = parentOf(path); folder !== '/'; folder = parentOf(folder)) this.#nodes.set(folder, 'directory');
      this.#nodes.set(path, Buffer.from(text));
    }
  }

  async readFile(path: string, options?: string | { encoding?: string }): Promise<Buffer | string> {
    const node = this.#node(path);
    if (node === 'directory') throw failure('EISDIR', path);
    const encoding = typeof options === 'string' ? options : options?.encoding;
    return encoding === undefined ? node : node.toString('utf8');
  }

  async writeFile(path: string, content: string | Uint8Array): Promise<void> {
    if (this.#nodes.get(parentOf(path)) !== 'directory') throw failure('ENOENT', path);
    this.#nodes.set(path, Buffer.from(content));
  }

  async mkdir(path: string): Promise<void> {
    if (this.#nodes.has(path)) throw failure('EEXIST', path);
    if (this.#nodes.get(parentOf(path)) !== 'directory') throw failure('ENOENT', path);
    this.#nodes.set(path, 'directory');
  }

  async readdir(path: string): Promise<string[]> {
    if (this.#node(path) !== 'directory') throw failure('ENOTDIR', path);
    const start = path.endsWith('/') ? path : `${path}/`;
    const names = [...this.#nodes.keys()].filter((key) => key.startsWith(start) && key !== start);
    return names.map((key) => key.slice(start.length)).filter((name) => !name.includes('/'));
  }

  async unlink(path: string): Promise<void> {
    this.#node(path);
    this.#nodes.delete(path);
  }

  async rmdir(path: string): Promise<void> {
    this.#node(path);
    this.#nodes.delete(path);
  }

  async stat(path: string): Promise<FileStatus> {
    const node = this.#node(path);
    const isDirectory = node === 'directory';
    return {
      type: isDirectory ? 'dir' : 'file',
      mode: isDirectory ? 0o40755 : 0o100644,
      size: isDirectory ? 0 : node.length,
      ino: 0,
      mtimeMs: 0,
      ctimeMs: 0,
      isFile: () => !isDirectory,
      isDirectory: () => isDirectory,
      isSymbolicLink: () => false,
    };
  }

  async lstat(path: string): Promise<FileStatus> {
    return this.stat(path);
  }

  async readlink(path: string): Promise<string> {
    throw failure('EINVAL', path);
  }

  async symlink(path: string): Promise<void> {
    throw failure('EPERM', path);
  }

  #node(path: string): Node {
    const node = this.#nodes.get(path);
    if (node === undefined) throw failure('ENOENT', path);
    return node;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
