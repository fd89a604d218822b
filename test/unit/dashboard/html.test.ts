import { html, path } from '../../../src/dashboard/html';

const EVIL = `<img src=x onerror="alert('1')">&`;

describe('a template of HTML', () => {
  test('escapes whatever is put into it', () => {
    expect(html`<p>${EVIL}</p>`.text).toBe(
      '<p>&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;</p>',
    );
    expect(html`<input value="${EVIL}">`.text).not.toContain('<img');
    expect(html`<ul>${[EVIL, 1].map((each) => html`<li>${each}</li>`)}</ul>`.text).toContain('<li>&lt;img');
  });

  test('takes in what another template made, and nothing that only looks like it', () => {
    expect(html`<p>${html`<b>${'<'}</b>`}</p>`.text).toBe('<p><b>&lt;</b></p>');
    const forged: unknown = { text: '<script>' };
    expect(html`<p>${forged as string}</p>`.text).not.toContain('<script>');
  });

  test('shows nothing for what is not there', () => {
    expect(html`<p>${undefined}${false}${[]}${0}</p>`.text).toBe('<p>0</p>');
  });

  test('shows control characters and turned text as what they are', () => {
    expect(html`<p>${'a\u0000\u001b[31m\u202eb\nc'}</p>`.text).toBe('<p>a\\u0000\\u001b[31m\\u202eb\nc</p>');
  });

  test('refuses text where no quotes hold it, and lets HTML stand there', () => {
    expect(() => html`<p class=${'x'}>`).toThrow(RangeError);
    expect(() => html`<p ${'onclick=alert(1)'}>`).toThrow(RangeError);
    expect(html`<option${html` selected`}>`.text).toBe('<option selected>');
  });

  test('links to paths of its own only', () => {
    for (const address of [
      'javascript:alert(1)',
      'https://evil.example',
      '//evil.example',
      '/\\evil',
      'data:,x',
      '',
    ])
      expect(() => html`<a href="${address}">`).toThrow(RangeError);
    expect(() => html`<form action="${'https://evil.example'}">`).toThrow(RangeError);
    expect(html`<a href="${'/dashboard?a=1&b=2'}">`.text).toBe('<a href="/dashboard?a=1&amp;b=2">');
    expect(html`<a href="/x/${'y"z'}">`.text).toBe('<a href="/x/y&quot;z">');
  });
});

test('a path leaves out what is empty, and encodes the rest', () => {
  expect(path('/a', { b: '', c: undefined })).toBe('/a');
  expect(path('/a', { b: 'x&y=<z>', c: 0 })).toBe('/a?b=x%26y%3D%3Cz%3E&c=0');
});
