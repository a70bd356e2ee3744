/** Whose doing a refusal is: the consumer's, or that of the one key it was asked with, which is bound to less than its consumer. */
import type { Exchange } from '../exchange.ts';
import type { LiveConsumer, OfConsumer } from '../generation/live.ts';

interface Refused {
  readonly consumer: LiveConsumer;
  readonly outcome: Exchange['outcome'];
}

/** Who may not, in words; notes the key where it is one. It is named as the configuration does: by its hash. */
export function whoMayNot(
  { consumer: { name, credential }, outcome }: Refused,
  isAllowed: (beside: OfConsumer) => boolean,
): { readonly who: string; readonly isKey: boolean } {
  const { ofConsumer, id } = credential;
  const isKey = ofConsumer !== undefined && isAllowed(ofConsumer);
  if (isKey) outcome.boundKey = id;
  return { who: isKey ? `Key sha256:${id}… of consumer '${name}'` : `Consumer '${name}'`, isKey };
}

export const cureOf = (isKey: boolean, list: keyof OfConsumer): string =>
  isKey
    ? `, which its consumer may: add it to \`${list}\` beside the hash of the key in the configuration, or ask with another key`
    : '';
