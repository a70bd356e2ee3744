/** Several asked at once: the first that has something wins, and who has nothing only drops out. */

/** The first value there is; undefined when all ended without one, or when `lateMs` passed before. Rejects with the first that fails. */
export async function firstOf<Value>(
  running: ReadonlySet<Promise<Value | undefined>>,
  lateMs?: number,
): Promise<Value | undefined> {
  const [only] = running;
  // As a rule there is one, and nobody is waited for beside it.
  if (only && running.size === 1 && lateMs === undefined) return only;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    if (lateMs !== undefined) timer = setTimeout(resolve, lateMs, 'late');
  });
  try {
    const left = new Set(running);
    while (left.size > 0) {
      const ended = [...left].map(async (one) => ({ one, value: await one }));
      const first = await Promise.race([...ended, late]);
      if (first === 'late') return undefined;
      if (first.value !== undefined) return first.value;
      left.delete(first.one);
    }
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
