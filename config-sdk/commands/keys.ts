/** `headgate keys`. */
import { createKey, hashKey } from '../keys.ts';
import type { CommandEntry } from './command.ts';

export const keysCommand: CommandEntry = (program) => {
  const keys = program
    .command('keys')
    .summary('make keys for consumers')
    .description('Keys that consumers call with.')
    .helpCommand(false);
  keys
    .command('create')
    .description('A new key, shown this once, and the hash of it that goes into the `keys` of a consumer.')
    .option('--json', 'one JSON document')
    .action((options: { json?: boolean }) => {
      const key = createKey();
      const hash = hashKey(key);
      process.stdout.write(options.json ? `${JSON.stringify({ key, hash })}\n` : `key:  ${key}\nhash: ${hash}\n`);
      if (!options.json)
        process.stderr.write(
          "Give the key to the caller, it is not shown again. The hash goes into config: consumer('…', { keys: ['sha256:…'] })\n" +
            "or, bound to a time and a place: keys: [{ hash: 'sha256:…', expires: '2027-01-31', addresses: ['10.0.0.0/8'] }]\n",
        );
    });
};
