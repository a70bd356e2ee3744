/** Forms: what every client sends is read, what two readers could take for two things is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { boundaryOf, FormError, readForm } from '../../runtime/form.ts';

const head = (disposition: string) => `content-disposition: form-data; ${disposition}`;
const part = (disposition: string, content: string) => `--b\r\n${head(disposition)}\r\n\r\n${content}\r\n`;
const read = (text: string) => readForm(Buffer.from(text), 'b');

describe('a form', () => {
  test('of the platform’s own making is read and given back with one text replaced', async () => {
    const form = new FormData();
    form.set('model', 'mine');
    form.set('file', new File([Uint8Array.of(0, 13, 10, 45, 45, 255)], 'a "b".bin'));
    form.set('prompt', 'grüß\ndich');
    for (const word of ['one', 'two', 'three']) form.append('list[]', word);
    const request = new Request('http://a', { method: 'POST', body: form });
    const type = request.headers.get('content-type') ?? '';
    const bytes = Buffer.from(await request.arrayBuffer());
    const known = readForm(bytes, boundaryOf(type) ?? assert.fail());
    assert.deepEqual(known.fields, { model: 'mine', prompt: 'grüß\r\ndich', 'list[]': ['one', 'two', 'three'] });
    const again = await new Response(known.with('model', 'the vendor’s'), {
      headers: { 'content-type': type },
    }).formData();
    assert.equal(again.get('model'), 'the vendor’s');
    const file = again.get('file');
    assert.ok(file instanceof File && file.name === 'a "b".bin');
    assert.deepEqual([...new Uint8Array(await file.arrayBuffer())], [0, 13, 10, 45, 45, 255]);
    assert.deepEqual(known.with('model', 'mine'), bytes);
    assert.equal(known.with('absent', 'x'), bytes);
  });

  test('has names in quotes or without, and contents that look like boundaries', () => {
    const text = `${part('name=a', '-b--b')}${part('name="\\"b\\""; x=1', '\r\n--')}${part('filename=x; name="model"', 'file')}--b--\r\n`;
    assert.deepEqual(read(text).fields, { a: '-b--b', '"b"': '\r\n--' });
    assert.deepEqual(read(`${part('name=__proto__', 'x')}--b--`).fields, Object.fromEntries([['__proto__', 'x']]));
  });

  const broken: Readonly<Record<string, string>> = {
    'words before it': `hello\r\n${part('name=a', 'x')}--b--`,
    'words after it': `${part('name=a', 'x')}--b--\r\nhello`,
    'no end': part('name=a', 'x'),
    'an end in its headers': '--b\r\ncontent-disposition: form-data; name=a',
    'a boundary that its own headers end in': `--b\r\n${head('name=a')}\r\n\r\n--b--`,
    'two names of one part': `${part('name=a; name=model', 'x')}--b--`,
    'two dispositions': `--b\r\n${head('name=a')}\r\n${head('name=model')}\r\n\r\nx\r\n--b--`,
    'no name': `${part('filename=a', 'x')}--b--`,
    'no disposition': '--b\r\ncontent-type: text/plain\r\n\r\nx\r\n--b--',
    'content that could be a boundary': `${part('name=a', '--b')}--b--`,
    'a longer boundary': `${part('name=a', 'x')}--bb\r\n`,
    'too many parts': `${part('name=a', 'x').repeat(1_001)}--b--`,
    'endless headers': `--b\r\nx: ${'y'.repeat(5_000)}\r\n${head('name=a')}\r\n\r\nx\r\n--b--`,
  };
  for (const [name, text] of Object.entries(broken))
    test(`with ${name} is refused`, () => assert.throws(() => read(text), FormError));

  test('with text that is not UTF-8 is refused', () => {
    const bytes = Buffer.concat([
      Buffer.from(`--b\r\n${head('name=a')}\r\n\r\n`),
      Buffer.of(255),
      Buffer.from('\r\n--b--'),
    ]);
    assert.throws(() => readForm(bytes, 'b'), FormError);
  });

  test('is known by its content type alone', () => {
    assert.equal(boundaryOf('Multipart/Form-Data; charset=utf-8; boundary="a b"'), 'a b');
    assert.equal(boundaryOf('multipart/form-data;boundary=ab ; x=y'), 'ab');
    for (const other of [undefined, 'application/json', 'multipart/mixed; boundary=a', 'multipart/form-data'])
      assert.equal(boundaryOf(other), undefined);
  });
});
