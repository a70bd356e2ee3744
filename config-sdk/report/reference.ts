/** Where a code is explained: the page of findings in the repository that our own package.json names. */

/** Undefined where there is no repository, or no address of one that a browser can open. */
export function referenceAddress(repository: unknown, code: string): string | undefined {
  const named =
    typeof repository === 'object' && repository !== null ? (repository as { readonly url?: unknown }).url : repository;
  if (typeof named !== 'string') return undefined;
  // As npm writes it: git+https://host/owner/name.git, or github:owner/name.
  const address = named
    .replace(/^github:/, 'https://github.com/')
    .replace(/^git\+/, '')
    .replace(/\.git$/, '');
  return /^https:\/\/[^/]+\/./.test(address) ? `${address}/blob/HEAD/docs/reference/findings.md#${code}` : undefined;
}
