// The page writes text, never markup: what a client sent can become no element. Its policy lets no style or script stand in an
// attribute either.

import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dir, '../../../src/console/page');
const files = [...new Bun.Glob('*.{ts,tsx}').scanSync({ cwd: folder })];

test('no file of the page makes elements of text, or code of it', () => {
  expect(files.length).toBeGreaterThan(20);
  const ways =
    /innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|\beval\(|new Function|href=\{(?!`#\/)/;
  expect(files.filter(name => ways.test(readFileSync(join(folder, name), 'utf8')))).toEqual([]);
});
