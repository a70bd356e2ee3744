/** What a process says when it dies of a fault: what was thrown and where, and nothing else that it held. */
import { reportWithoutEnvironment } from './diagnostic-report.ts';
import { faultInWords } from './log.ts';

let isTied = false;

/** Node would print everything that hangs on the error, such as the headers of the request it was thrown for. */
export function dieInWords(): void {
  if (isTied) return;
  isTied = true;
  reportWithoutEnvironment();
  process.on('uncaughtException', (error) => {
    process.stderr.write(`headgate: died of a fault: ${JSON.stringify(faultInWords(error))}\n`);
    process.exit(1);
  });
}
