/** Reads the plain sort of YAML that our workflows are written in: maps, lists, `|` blocks and scalars on one line. Throws on anything else. */

export type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

const keyed = /^([A-Za-z][\w .-]*):(?: (.*))?$/;

class Reader {
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(text: string) {
    if (text.includes('\t')) throw new SyntaxError('a tab');
    this.#lines = text.split('\n').map((each, index) => {
      const trimmed = each.trimStart();
      return { indent: each.length - trimmed.length, text: trimmed.trimEnd(), number: index + 1 };
    });
  }

  #next(): Line | undefined {
    for (;;) {
      const line = this.#lines[this.#at];
      if (!line || (line.text !== '' && !line.text.startsWith('#'))) return line;
      this.#at += 1;
    }
  }

  #fail(line: Line, what: string): never {
    throw new SyntaxError(`line ${line.number}: ${what}: ${line.text}`);
  }

  document(): Yaml {
    const value = this.#node(0);
    const rest = this.#next();
    if (rest) this.#fail(rest, 'left over');
    return value;
  }

  #node(indent: number): Yaml {
    return this.#next()?.text.startsWith('- ') ? this.#list(indent) : this.#map(indent);
  }

  #list(indent: number): Yaml {
    const items: Yaml[] = [];
    for (let line = this.#next(); line?.indent === indent && line.text.startsWith('- '); line = this.#next()) {
      const rest = line.text.slice(2);
      if (keyed.test(rest)) {
        // The item is a map that begins on this line, two columns further in.
        (this.#lines as Line[])[this.#at] = { ...line, indent: indent + 2, text: rest };
        items.push(this.#map(indent + 2));
      } else {
        this.#at += 1;
        items.push(rest === '|' ? this.#block(indent) : this.#scalar(line, rest));
      }
    }
    return items;
  }

  #map(indent: number): Yaml {
    const members: Record<string, Yaml> = {};
    for (let line = this.#next(); line?.indent === indent; line = this.#next()) {
      const [, key = '', value = ''] = keyed.exec(line.text) ?? this.#fail(line, 'no `key: value`');
      if (Object.hasOwn(members, key)) this.#fail(line, 'twice');
      this.#at += 1;
      const inner = this.#next();
      if (value === '|') members[key] = this.#block(indent);
      else if (value !== '') members[key] = this.#scalar(line, value);
      else members[key] = inner && inner.indent > indent ? this.#node(inner.indent) : '';
    }
    const after = this.#next();
    if (after && after.indent > indent) this.#fail(after, 'too far in');
    return members;
  }

  #block(indent: number): string {
    const lines: Line[] = [];
    for (let line = this.#lines[this.#at]; line && (line.text === '' || line.indent > indent);) {
      lines.push(line);
      this.#at += 1;
      line = this.#lines[this.#at];
    }
    const inset = lines[0]?.indent ?? 0;
    return `${lines
      .map(({ indent: own, text }) => (text === '' ? '' : ' '.repeat(own - inset) + text))
      .join('\n')
      .trimEnd()}\n`;
  }

  #scalar(line: Line, text: string): Yaml {
    const quoted = /^'((?:[^']|'')*)'$/.exec(text)?.[1];
    if (quoted !== undefined) return quoted.replaceAll("''", "'");
    const list = /^\[(.*)\]$/.exec(text)?.[1];
    if (list !== undefined) return list.split(', ').map((each) => this.#scalar(line, each));
    if (text === '{}') return {};
    const plain = text.replace(/ #.*$/, '');
    if (/^["&*!|>%@`{[]/.test(plain) || /: /.test(plain)) this.#fail(line, 'not plain');
    return plain;
  }
}

export const readPlainYaml = (text: string): Yaml => new Reader(text).document();
