/** Canonical JSON after RFC 8785: sorted keys, no white space, so that equal data has equal bytes. */

export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') return canonicalObject(value as Readonly<Record<string, unknown>>, canonicalJson);
  throw new TypeError(`a ${typeof value} has no JSON form`);
}

/** The same of an object, for whoever knows the canonical JSON of some of its members. */
export function canonicalObject(
  object: Readonly<Record<string, unknown>>,
  memberJson: (member: unknown) => string,
): string {
  let members = '';
  // RFC 8785 §3.2.3 sorts by UTF-16 code units, which is how texts are sorted when nothing else is said.
  for (const key of Object.keys(object).sort()) {
    const member = object[key];
    if (member !== undefined) members += `${members && ','}${JSON.stringify(key)}:${memberJson(member)}`;
  }
  return `{${members}}`;
}
