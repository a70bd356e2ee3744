/** Asks a model's probe of the targets that its requests are sent to first. */
import type { Answer, Call, FailureKind, Message } from '../call.ts';
import { askTarget } from '../pipeline/attempt.ts';
import { AttemptFailed } from '../pipeline/patience.ts';
import type { ModelProbe } from '../snapshot-probes.ts';
import { timeIsOver, type Answered, type Asking } from './probe-answer.ts';
import type { LiveKey, LiveModel, LiveTarget } from './live.ts';
import { inTheDark } from './live-order.ts';
import { blameInWords, type Blame } from './health.ts';

/** Draws that between them see every target of some weight come first. */
const draws = [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.999];

function firstTargets(model: LiveModel): readonly LiveTarget[] {
  const firsts = draws.flatMap(
    (draw) => model.order(inTheDark(() => draw)).find(({ provider }) => provider.live) ?? [],
  );
  return [...new Map(firsts.map((target) => [target.label, target])).values()];
}

/** The model's prompt, where it needs nothing that only a request can bring. */
function promptOf({ render }: LiveModel): readonly Message[] {
  try {
    return render?.(() => undefined) ?? [];
  } catch {
    return [];
  }
}

function callOf(model: LiveModel, { message, maxTokens }: ModelProbe): Call {
  return {
    model: model.name,
    messages: [...promptOf(model), { role: 'user', parts: [{ type: 'text', text: message }] }],
    stream: false,
    tools: [],
    maxOutputTokens: maxTokens,
    untranslated: [],
  };
}

const textOf = ({ parts }: Answer): string => parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
const isBlame = (kind: FailureKind): kind is Blame => Object.hasOwn(blameInWords, kind);
/** One more try tells a moment from a state. */
const mayPass: readonly FailureKind[] = ['network', 'broken_answer'];

async function failureOf(ask: () => Promise<Answer>, tries = 2): Promise<AttemptFailed | Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AttemptFailed)) throw error;
    return tries > 1 && mayPass.includes(error.failure.kind) ? failureOf(ask, tries - 1) : error;
  }
}

interface Asked {
  readonly target: LiveTarget;
  readonly key: LiveKey;
}

async function askOne(
  call: Call,
  { target, key }: Asked,
  probe: ModelProbe,
  asking: Asking,
): Promise<Answered | undefined> {
  const label = key.position === 1 ? target.label : `${target.label} with key ${key.position}`;
  const patient = { ...target, timeoutMs: probe.timeout };
  const result = await failureOf(() => askTarget(call, { target: patient, key, signal: asking.signal }));
  if (!(result instanceof AttemptFailed)) {
    if (probe.expect === undefined || textOf(result).includes(probe.expect)) return undefined;
    return { verdict: 'refused', found: `${label} answers without the expected text` };
  }
  if (asking.signal.aborted) return timeIsOver;
  const { kind, status } = result.failure;
  const told = status === undefined ? '' : ` (${status})`;
  if (!isBlame(kind)) return { verdict: 'unclear', found: `${label} did not answer: ${kind}${told}` };
  // What the candidate's changes cannot be the cause of is not its doing.
  const verdict = asking.changes.ofTarget(target.label, kind) === undefined ? 'unclear' : 'refused';
  return { verdict, found: `${label} ${blameInWords[kind]}${told}` };
}

export async function askModel(name: string, probe: ModelProbe, asking: Asking): Promise<Answered | undefined> {
  const model = asking.candidate.tables.models.get(name);
  const targets = model ? firstTargets(model) : [];
  if (!model || targets.length === 0)
    return { verdict: 'unclear', found: 'no target is in rotation: a secret it needs is absent' };
  const call = callOf(model, probe);
  let unclear: Answered | undefined;
  // With each key: one that is refused would otherwise show only when its turn comes.
  for (const asked of targets.flatMap((target) => (target.provider.live?.keys ?? []).map((key) => ({ target, key })))) {
    const answered = await askOne(call, asked, probe, asking);
    if (answered?.verdict === 'refused') return answered;
    unclear ??= answered;
  }
  return unclear;
}
