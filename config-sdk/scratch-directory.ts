/** `.headgate/`: what commands leave beside a configuration, kept out of git by a file of its own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const scratchName = '.headgate';

/** Makes `<directory>/.headgate` and gives its path. */
export async function scratchDirectory(directory: string): Promise<string> {
  const scratch = join(directory, scratchName);
  await mkdir(scratch, { recursive: true });
  await writeFile(join(scratch, '.gitignore'), '*\n');
  return scratch;
}
