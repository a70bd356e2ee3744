/** What a step of judgement says about a candidate: a refusal with its reason, or nothing when it passed. */
import { ArtifactRefused } from '../artifact.ts';
import { faultInWords, type Log } from '../log.ts';

export interface Refusal {
  readonly reason: ArtifactRefused['reason'];
  /** One sentence for people. */
  readonly detail: string;
}

/** Asks `question`; what it throws is the verdict. A fault that is no refusal is one too, and logged: nobody expected it. */
export async function judge(
  question: () => Promise<void>,
  { commit, signal, log }: { commit: string; signal: AbortSignal; log: Log },
): Promise<Refusal | undefined> {
  try {
    await question();
    return undefined;
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'it could not be read';
    if (error instanceof ArtifactRefused) return { reason: error.reason, detail };
    // Given up on purpose.
    if (signal.aborted) return { reason: 'invalid', detail };
    const told = { event: 'refused', artifact: commit, cause: faultInWords(error) };
    log.error(told, 'a candidate failed in an unexpected way');
    return { reason: 'invalid', detail };
  }
}
