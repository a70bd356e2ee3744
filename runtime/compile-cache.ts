/** The folder in which Node keeps what it compiled, for threads that are given no environment. */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** Without it each start of a thread compiles all of its modules again. */
export function sameCompileCache(): Readonly<Record<string, string>> {
  // Within the folder that it was given, Node has one of its own version.
  const own = getCompileCacheDir();
  return own === undefined ? {} : { NODE_COMPILE_CACHE: dirname(own) };
}
