/** Turns one step of judgement into the event that reports it. */
import { ArtifactRefused } from '../artifact-refused.ts';
import { faultInWords, type Log } from '../log.ts';
import type { Event } from './states.ts';

/** What `question` throws is the verdict: a refusal in its own words, anything else as `invalid`, and told in full. None, when `signal` says that nobody wants to know any more. */
export async function verdictOn(
  commit: string,
  passed: 'verified' | 'warmed',
  question: () => Promise<void>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<Event | undefined> {
  try {
    await question();
    return signal.aborted ? undefined : { type: passed, commit };
  } catch (error) {
    if (signal.aborted) return undefined;
    const detail = error instanceof Error ? error.message : 'it could not be read';
    if (error instanceof ArtifactRefused) return { type: 'refused', commit, reason: error.reason, detail };
    const told = { event: 'refused', artifact: commit, cause: faultInWords(error) };
    log.error(told, 'a candidate failed in an unexpected way');
    return { type: 'refused', commit, reason: 'invalid', detail };
  }
}
