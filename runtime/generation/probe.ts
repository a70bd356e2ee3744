/** Questions put to a candidate before it serves: everything that a request would do, short of calling a provider. */
import { ArtifactRefused } from '../artifact.ts';
import type { Call } from '../call.ts';
import { asHeadgateError } from '../errors.ts';
import type { Provisioned } from './provision.ts';
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

/** Throws `ArtifactRefused` with every question that went unanswered. */
export function probe({ snapshot, tables }: Provisioned): void {
  const problems: string[] = [];
  for (const [name, prompt] of Object.entries(snapshot.prompts)) {
    for (const [fixture, values] of Object.entries(prompt.fixtures ?? {})) {
      ask(problems, `prompts.${name} with fixture '${fixture}'`, () => bindPrompt(prompt, values)(() => undefined));
    }
  }
  for (const model of tables.models.values()) {
    ask(problems, `models.${model.name}`, () => {
      for (const target of model.order(() => 0)) {
        target.provider.kind.dialect.writeCall(sample, { model: target.model });
        model.fit?.([], { maxOutputTokens: undefined, overhead: 0 });
        for (const { check } of model.policies) check(sample);
      }
    });
  }
  if (problems.length > 0) throw new ArtifactRefused('invalid', `the probe failed: ${problems.join('; ')}`);
}
