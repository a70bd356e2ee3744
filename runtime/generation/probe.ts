/** Questions put to a candidate before it serves: everything that a request would do, short of calling a provider. */
import { ArtifactRefused } from '../artifact-refused.ts';
import type { Call } from '../call.ts';
import { asHeadgateError } from '../errors.ts';
import type { Pace } from '../pace.ts';
import { inTheDark } from './live-order.ts';
import { apisFor } from '../providers/provider.ts';
import type { Provisioned } from './provision.ts';
import type { PackedSnapshot } from '../packed.ts';
import { bindPrompt } from './template.ts';

const sample: Call = {
  model: 'probe',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'probe' }] }],
  stream: false,
  tools: [],
  untranslated: [],
};

function ask(problems: string[], object: string, question: () => void): void {
  try {
    question();
  } catch (error) {
    const { code, message, cause } = asHeadgateError(error);
    problems.push(`${object}: ${code === 'internal_error' && cause instanceof Error ? cause.message : message}`);
  }
}

function* fixturesOf({ prompts }: PackedSnapshot) {
  for (const [name, prompt] of prompts)
    for (const [fixture, values] of Object.entries(prompt.fixtures ?? {})) yield { name, prompt, fixture, values };
}

/** Throws `ArtifactRefused` with every question that went unanswered. */
export async function probe({ snapshot, freshModels }: Provisioned, pace: Pace): Promise<void> {
  const problems: string[] = [];
  await pace.each(fixturesOf(snapshot), ({ name, prompt, fixture, values }) => {
    ask(problems, `prompts.${name} with fixture '${fixture}'`, () => bindPrompt(prompt, values)(() => undefined));
  });
  await pace.each(freshModels(), (model) => {
    ask(problems, `models.${model.name}`, () => {
      for (const target of model.order(inTheDark(() => 0))) {
        const { live } = target.provider;
        for (const { dialect } of live ? apisFor(live.connection, target.kind) : [])
          dialect.writeCall(sample, { model: target.model });
        model.fit?.([], { maxOutputTokens: undefined, overhead: 0 });
        for (const { check } of model.policies) check(sample);
      }
    });
  });
  if (problems.length > 0) throw new ArtifactRefused('invalid', `the probe failed: ${problems.join('; ')}`);
}
