/**
 * What `npm run soak:quotas` executes: processes that race for quotas over a Redis, over a file and alone, while they and the
 * Redis are killed again and again; then a Redis that is slow, cut off, or gives way to another, which `--only failovers` does by
 * itself. Ends with its figures, and with exit code 1 when a promise was broken.
 */
import { parseArgs } from 'node:util';
import {
  figuresOf,
  problemsOf,
  raceInMemory,
  raceOverRedis,
  raceOverSqlite,
  raceWithSlack,
} from '../test/support/quota-race/run.ts';
import { failovers } from './failovers.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '3' }, only: { type: 'string' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes takes a number above 0');
if (values.only !== undefined && values.only !== 'races' && values.only !== 'failovers')
  throw new Error('--only takes races or failovers');
/** Each of the races by several processes gets a sixth. */
const forMs = (minutes * 60_000) / 6;

const races = {
  'Redis, 4 processes': () => raceOverRedis({ processes: 4, forMs, killEveryMs: 700 }),
  'Redis that is killed too, 4 processes': () => raceOverRedis({ processes: 4, forMs, killEveryMs: 1_500 }, true),
  'Redis that is killed alone, 4 processes': () => raceOverRedis({ processes: 4, forMs, troubleEveryMs: 1_500 }, true),
  'Redis with slack, 4 processes': () => raceWithSlack({ processes: 4, forMs, killEveryMs: 700 }),
  'sqlite, 4 processes': () => raceOverSqlite({ processes: 4, forMs, killEveryMs: 700 }),
  'sqlite, 1 process': () => raceOverSqlite({ processes: 1, forMs: forMs / 2 }),
  'memory, 1 process': () => raceInMemory({ forMs: forMs / 2 }),
};

const write = (line: string) => void process.stdout.write(`${line}\n`);
const problems: string[] = [];
for (const [name, run] of Object.entries(values.only === 'failovers' ? {} : races)) {
  const outcome = await run();
  for (const line of figuresOf(name, outcome)) write(line);
  problems.push(...problemsOf(outcome).map((problem) => `${name}: ${problem}`));
}
if (values.only !== 'races') problems.push(...(await failovers(write)));
for (const problem of problems) write(`BROKEN ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
