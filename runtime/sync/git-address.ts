/** Decides up front whether an address and a ref are ones this transport can follow safely. */
import { isAbsolute, normalize } from 'node:path';
import { SourceError } from './source.ts';

export type GitPlace =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'remote'; readonly url: string };

export function readPlace(address: string): GitPlace {
  if (isAbsolute(address)) return { kind: 'directory', path: normalize(address) };
  // The address itself stays out of these messages: it may hold a password.
  if (/^[^/:@\s]+@[^/:@\s]+:/.test(address) || /^(git\+)?ssh:/i.test(address)) {
    throw new SourceError('GIT_URL', 'SSH addresses are not supported; use the https:// form of the repository.');
  }
  if (/^file:/i.test(address)) {
    throw new SourceError('GIT_URL', 'file:// addresses are not supported; give the absolute path of the directory.');
  }
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) {
    throw new SourceError('GIT_URL', 'The repository must be an https:// URL or an absolute local directory.');
  }
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') {
    throw new SourceError(
      'GIT_URL',
      'The repository URL holds credentials; put the token into a file and name that instead.',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new SourceError('GIT_URL', 'The repository URL has a query or fragment; give the plain clone URL.');
  }
  return { kind: 'remote', url: url.href.replace(/\/+$/, '') };
}

const branchPrefix = 'refs/heads/';

/** Always the full name: given the short one, a tag of the same name would win over the branch. */
export function readBranch(ref: string): string {
  if (ref.startsWith('refs/') && !ref.startsWith(branchPrefix)) {
    throw new SourceError(
      'GIT_URL',
      `${JSON.stringify(ref)} is no branch; follow a branch, since tags can be moved in silence.`,
    );
  }
  const name = ref.startsWith(branchPrefix) ? ref.slice(branchPrefix.length) : ref;
  const parts = name.split('/');
  const isPlain = parts.every((part) => /^[\w+@#%=,][\w.+@#%=,-]*$/.test(part) && !part.endsWith('.lock'));
  if (!isPlain || name.includes('..') || name.endsWith('.')) {
    throw new SourceError(
      'GIT_URL',
      `${JSON.stringify(ref)} cannot be a branch name; give one such as headgate/compiled.`,
    );
  }
  return branchPrefix + name;
}
