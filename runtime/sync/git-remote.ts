/** Asks a git host over HTTP where a branch stands and what its commit holds, trusting nothing it answers. */
import { readFile } from 'node:fs/promises';
import { fetch as fetchPack, listServerRefs, type HttpClient } from 'isomorphic-git';
import { openGitHttp, type HttpCall } from './git-http.ts';
import { checkPack } from './git-pack.ts';
import {
  dataPacket,
  flushPacket,
  readPackAnswer,
  readPackets,
  textOf,
  truncated,
  writePackAnswer,
} from './git-packets.ts';
import { explainFailure } from './git-failure.ts';
import type { GitLimits } from './git-source.ts';
import { mostAncestors, readAncestors, readArtifact, type ObjectStore } from './git-tree.ts';
import { MemoryFiles } from './memory-files.ts';
import { SourceError, type RevisionSource } from './source.ts';

export interface RemoteOptions {
  readonly url: string;
  /** Always in full: a short name would let a tag stand in for the branch. */
  readonly ref: string;
  readonly tokenFile: string | undefined;
  readonly limits: GitLimits;
}

const objectId = /^(?!0{40})[0-9a-f]{40}$/;
const noObject = '0'.repeat(40);
// Enough for a hundred thousand refs from a host that can only list all of them.
const maxListingBytes = 8 * 1024 * 1024;

// The library fetches nothing into a store without a refspec, although it is told the ref.
const emptyConfig = '[remote "origin"]\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n';

export function openRemote(options: RemoteOptions): RevisionSource {
  const http = openGitHttp(options.limits);

  async function withCall<Result>(signal: AbortSignal, ask: (call: HttpCall) => Promise<Result>): Promise<Result> {
    let token: string | undefined;
    try {
      token = await readToken(options.tokenFile);
      const authorization = token === undefined ? undefined : basicAuthorization(token);
      const maxBytes = options.limits.maxBytes;
      return await ask({ signal, maxBytes, authorization, screen: (_service, body) => body });
    } catch (error) {
      throw explainFailure(error, token);
    }
  }

  return {
    tip: (signal) =>
      withCall(signal, async (call) => {
        const screen: HttpCall['screen'] = (service, body) => screenListing(service, body, options.ref);
        const maxBytes = Math.min(call.maxBytes, maxListingBytes);
        const client = http.client({ ...call, maxBytes, screen });
        const refs = await listServerRefs({
          http: client,
          url: options.url,
          prefix: options.ref,
          protocolVersion: 2,
        });
        // The prefix also matches every longer name.
        const found = refs.find((candidate) => candidate.ref === options.ref);
        return found === undefined ? undefined : checkObjectId(found.oid);
      }),
    fetch: (commit, signal) =>
      withCall(signal, async (call) => {
        const store = await fetchStore(options, { commit, depth: 1 }, (screen) => http.client({ ...call, screen }));
        // The library reports success without looking whether the commit came along; reading it is the proof.
        return readArtifact(store, commit, options.limits);
      }),
    before: (commit, signal) =>
      withCall(signal, async (call) => {
        const wanted = { commit, depth: 1 + mostAncestors };
        const store = await fetchStore(options, wanted, (screen) => http.client({ ...call, screen }));
        return readAncestors(store, commit, options.limits);
      }),
    close: () => http.close(),
  };
}

async function fetchStore(
  { url, ref, limits }: RemoteOptions,
  { commit, depth }: { readonly commit: string; readonly depth: number },
  openClient: (screen: HttpCall['screen']) => HttpClient,
): Promise<ObjectStore> {
  // A new store each time: nothing piles up, and a failed fetch leaves no ref behind that points at nothing.
  const store = { fs: new MemoryFiles({ '/git/config': emptyConfig }), gitdir: '/git' };
  const screen: HttpCall['screen'] = (service, body) => {
    if (service === 'advertisement') return screenAdvertisement(body, ref, commit);
    const answer = readPackAnswer(body);
    checkPack(answer.pack, limits);
    return writePackAnswer(answer);
  };
  const { fetchHead } = await fetchPack({
    ...store,
    http: openClient(screen),
    url,
    ref,
    remoteRef: ref,
    depth,
    singleBranch: true,
    tags: false,
  });
  if (fetchHead !== commit) throw moved(ref);
  return store;
}

interface Advertisement {
  /** The listing came in protocol 2, which names no refs at this point. */
  readonly isVersion2: boolean;
  readonly capabilities: string;
  readonly commit: string | undefined;
}

function readAdvertisement(body: Buffer, ref: string): Advertisement {
  let capabilities: string | undefined;
  let isVersion2 = false;
  let commit: string | undefined;
  let sections = 0;
  for (const packet of readPackets(body)) {
    if (packet.kind !== 'data') {
      sections += 1;
      continue;
    }
    const line = textOf(packet.bytes);
    if (line.startsWith('# service=')) continue;
    checkHashKind(line);
    if (line === 'version 2') isVersion2 = true;
    if (isVersion2 || line === 'version 1') continue;
    const [name, rest] = line.split('\0');
    capabilities ??= rest;
    if (name?.slice(41) === ref) commit = checkObjectId(name.slice(0, 40));
  }
  // The greeting ends with a flush of its own: cut right there, a full repository would read as an empty one.
  if (sections < 2 && !isVersion2 && capabilities === undefined) throw truncated();
  return { isVersion2, capabilities: capabilities ?? '', commit };
}

function checkHashKind(line: string): void {
  if (/object-format=(?!sha1\b)/.test(line)) {
    throw new SourceError(
      'GIT_BAD_OID',
      'The repository names its objects with SHA-256; publish to a SHA-1 repository.',
    );
  }
}

/** While listing: a protocol 2 answer passes as it is, a protocol 1 answer shrinks to the one ref we ask about. */
function screenListing(service: 'advertisement' | 'result', body: Buffer, ref: string): Uint8Array {
  if (service === 'result') {
    for (const _packet of readPackets(body)) continue;
    return body;
  }
  const found = readAdvertisement(body, ref);
  return found.isVersion2 ? body : writeAdvertisement(ref, found);
}

function screenAdvertisement(body: Buffer, ref: string, commit: string): Uint8Array {
  const found = readAdvertisement(body, ref);
  if (found.isVersion2) {
    throw new SourceError('GIT_NOT_GIT', 'The remote speaks only git protocol 2; enable protocol 0 on it as well.');
  }
  if (found.commit !== commit) throw moved(ref);
  return writeAdvertisement(ref, found);
}

function writeAdvertisement(ref: string, { capabilities, commit }: Advertisement): Buffer {
  // Symbolic refs would name branches we leave out.
  const offered = capabilities.split(' ').filter((word) => word !== '' && !word.startsWith('symref='));
  const suffix = `\0${offered.join(' ')}\n`;
  const lines =
    commit === undefined
      ? [`${noObject} capabilities^{}${suffix}`]
      : // The library gives up when HEAD is unborn, as it is where only the artifact branch was ever pushed.
        [`${commit} HEAD${suffix}`, `${commit} ${ref}\n`];
  const packets = lines.map((line) => dataPacket(line));
  return Buffer.concat([dataPacket('# service=git-upload-pack\n'), flushPacket, ...packets, flushPacket]);
}

function checkObjectId(candidate: string): string {
  if (objectId.test(candidate)) return candidate;
  throw new SourceError('GIT_BAD_OID', 'The remote lists the ref with something that is no commit id; it is ignored.');
}

function moved(ref: string): SourceError {
  return new SourceError('GIT_MOVED', `${ref} no longer stands at the listed commit; list it again.`);
}

/** Read for every call, so that a rotated token is used by the next poll. */
async function readToken(tokenFile: string | undefined): Promise<string | undefined> {
  if (tokenFile === undefined) return undefined;
  let token: string;
  try {
    token = (await readFile(tokenFile, 'utf8')).trim();
  } catch (cause) {
    throw new SourceError('GIT_AUTH', `The token file ${tokenFile} cannot be read; check its path and mode.`, {
      cause,
    });
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new SourceError('GIT_AUTH', `The token file ${tokenFile} must hold one token on one line.`);
  }
  return token;
}

function basicAuthorization(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
}
