/** Pattern lists after ssh_config(5), PATTERNS: comma-separated, `*` and `?` as wildcards, `!` to exclude. */

/** One pattern, in time proportional to text times pattern. */
function matches(text: string, pattern: string): boolean {
  let [at, step] = [0, 0];
  let star: { readonly pattern: number; text: number } | undefined;
  while (at < text.length) {
    if (pattern[step] === '*') {
      star = { pattern: step, text: at };
      step += 1;
    } else if (pattern[step] === '?' || pattern[step] === text[at]) {
      at += 1;
      step += 1;
    } else if (star) {
      star.text += 1;
      at = star.text;
      step = star.pattern + 1;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(step));
}

/** An exclusion that matches decides, wherever it stands; alone it never lets anything in. */
export function matchesPatternList(text: string, list: string): boolean {
  const patterns = list.split(',');
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(text, pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(text, pattern));
}
