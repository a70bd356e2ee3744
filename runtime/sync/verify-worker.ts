/**
 * The thread in which artifacts are opened, parsed and held against the schema: what a stranger wrote can make it slow, run
 * out of memory or hang without a request noticing. It hands over packed bytes, which cost the receiver nothing.
 */
import { parentPort } from 'node:worker_threads';
import { reportWithoutEnvironment } from '../diagnostic-report.ts';
import { ArtifactRefused, openArtifact, parseJsonBytes } from '../artifact.ts';
import { buffersOf, PackedBefore, packSnapshot } from '../packed.ts';
import { JsonMemory } from '../strict-json-memory.ts';
import { checkSnapshot, type Checked } from './check-snapshot.ts';
import { stepBack } from './step-back.ts';
import type { VerifierAnswer, VerifierQuestion } from './verifier.ts';

const port = parentPort;
if (port === null) throw new Error('verify-worker is started by createVerifier, not on its own.');

stepBack();
reportWithoutEnvironment();

/** Most of an artifact is what stood in the one before: that was read, judged and packed, and comes to the same. */
const read = new JsonMemory();
const checked: Checked = new WeakMap();
const packed = new PackedBefore();

function verify({ commit, files, demands }: VerifierQuestion): VerifierAnswer {
  const { files: _files, snapshot, ...facts } = openArtifact({ commit, files: new Map(files) }, demands);
  const document = parseJsonBytes(snapshot, 'snapshot.json', read);
  return { facts, parcel: packSnapshot(checkSnapshot(document, checked), packed) };
}

function answer(question: VerifierQuestion): VerifierAnswer {
  try {
    return verify(question);
  } catch (error) {
    return error instanceof ArtifactRefused ? { refused: error.reason, message: error.message } : { failed: error };
  }
}

port.on('message', (question: VerifierQuestion) => {
  const said = answer(question);
  port.postMessage(said, 'parcel' in said ? buffersOf(said.parcel) : []);
});
