/** Node's diagnostic reports, which somebody may turn on and send to somebody else. */

/** Called by each thread that has the environment: a report would hold it, and with it every secret. */
export function reportWithoutEnvironment(): void {
  if (process.report) process.report.excludeEnv = true;
}
