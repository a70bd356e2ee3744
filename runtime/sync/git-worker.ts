/** The thread in which all git work runs, so that no pack, however large, holds up a request. */
import { parentPort, workerData } from 'node:worker_threads';
import { reportWithoutEnvironment } from '../diagnostic-report.ts';
import type { WorkerAnswer, WorkerQuestion, WorkerSettings } from './git-source.ts';
import { SourceError, type RawArtifact, type RevisionSource } from './source.ts';
import { stepBack } from './step-back.ts';

const port = parentPort;
if (port === null) throw new Error('git-worker is started by openGitSource, not on its own.');

stepBack();
reportWithoutEnvironment();
const settings = workerData as WorkerSettings;
const source = await openSource();
const running = new Map<number, AbortController>();

/** Each brings modules along that the other does not need. */
async function openSource(): Promise<RevisionSource> {
  const { place, ref, tokenFile, limits } = settings;
  if (place.kind === 'directory')
    return (await import('./git-local.ts')).openLocal({ directory: place.path, ref, limits });
  return (await import('./git-remote.ts')).openRemote({ url: place.url, ref, tokenFile, limits });
}

port.on('message', (question: WorkerQuestion) => {
  if (question.kind === 'abort') {
    running.get(question.id)?.abort(new SourceError('GIT_ABORTED', 'The call was given up.'));
    return;
  }
  void answer(question);
});

async function answer(question: Exclude<WorkerQuestion, { kind: 'abort' }>): Promise<void> {
  const { id } = question;
  const controller = new AbortController();
  running.set(id, controller);
  const { deadlineMs } = settings.limits;
  const deadline = setTimeout(() => {
    controller.abort(
      new SourceError('GIT_DEADLINE', `The call took longer than ${deadlineMs} ms; it is tried again later.`),
    );
  }, deadlineMs);
  try {
    const gone = rejectWhenAborted(controller.signal);
    if (question.kind === 'tip') {
      post({ id, tip: await Promise.race([source.tip(controller.signal), gone]) });
    } else {
      const artifacts = await Promise.race([artifactsFor(question, controller.signal), gone]);
      const buffers = artifacts.flatMap(({ files }) => [...files.values()].map(({ buffer }) => buffer as ArrayBuffer));
      post({ id, artifacts }, buffers);
    }
  } catch (error) {
    const { code, message, retryAfterMs } = asSourceError(error);
    post({ id, failure: { code, message, retryAfterMs } });
  } finally {
    clearTimeout(deadline);
    running.delete(id);
  }
}

async function artifactsFor(
  { kind, commit }: Extract<WorkerQuestion, { commit: string }>,
  signal: AbortSignal,
): Promise<readonly RawArtifact[]> {
  if (kind === 'before') return (await source.before?.(commit, signal)) ?? [];
  return [await source.fetch(commit, signal)];
}

/** A step that ignores its signal, such as a stuck disk, must not keep the caller waiting. */
function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function asSourceError(error: unknown): SourceError {
  if (error instanceof SourceError) return error;
  return new SourceError('GIT_CORRUPT', 'The git data cannot be read; it is ignored.', { cause: error });
}

function post(message: WorkerAnswer, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}
