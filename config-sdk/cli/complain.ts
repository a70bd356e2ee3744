/** What a command says is wrong, without keys and tokens that stood in the wrong place of its line. */
import { masked } from '@headgate/runtime/masked';

export function complain(...lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`headgate: ${masked(line)}\n`);
}
