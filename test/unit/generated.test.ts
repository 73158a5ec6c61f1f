// What is generated and committed is what would be generated now.

import { describe, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generated } from '../../.ci/generated.ts';

const root = join(import.meta.dir, '../..');
const { files, refusals } = await generated(root);

test('nothing that was published of the types is broken', () => {
  expect(refusals).toEqual([]);
});

test.each([...files.keys()])('%s is what follows from the definitions (npm run generate writes it)', path => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(files.get(path)!);
});

test('each table stands in a document', () => {
  const documents = [...files].filter(([path]) => path.endsWith('.md')).map(([, text]) => text);
  for (const name of ['settings', 'events', 'metrics', 'problems', 'commands'])
    expect(documents.filter(text => text.includes(`<!-- /${name} -->`))).toHaveLength(1);
});

describe('a new event type', () => {
  /** A copy of the tree, in which a type is made. */
  function copy(): string {
    const folder = mkdtempSync(join(tmpdir(), 'ugc-generated-'));
    for (const name of ['.ci', 'schemas', 'src', 'docs', 'README.md', 'package.json'].filter(name =>
      existsSync(join(root, name)),
    ))
      cpSync(join(root, name), join(folder, name), { recursive: true, force: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  }

  const made = (path: string, name = 'gift_card'): string =>
    readFileSync(join(root, 'schemas', path), 'utf8')
      .replaceAll("'click'", `'${name}'`)
      .replaceAll("family: 'film'", "family: 'shop'")
      .replace('const click', 'const made');

  const generate = (folder: string) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, 'run', '.ci/generate.ts'], { cwd: folder });
    return { code: exitCode, said: `${stdout}${stderr}` };
  };

  test('is one file: the list, the record of what is published and the documents follow from it', () => {
    const folder = copy();
    mkdirSync(join(folder, 'schemas/shop'));
    writeFileSync(join(folder, 'schemas/shop/gift-card.ts'), made('film/click.ts'));
    expect(generate(folder)).toMatchObject({ code: 0, said: expect.stringContaining('gift_card: a new type') });
    const written = (path: string) => readFileSync(join(folder, path), 'utf8');
    expect(written('schemas/every-type.ts')).toEndWith('  made,\n];\n');
    expect(JSON.parse(written('schemas/published.json'))).toHaveProperty('gift_card.version', 1);
    const documents = [...files.keys()].filter(path => path.endsWith('.md')).map(written);
    expect(documents.join('')).toContain('| `gift_card` |');
    const ls = Bun.spawnSync([process.execPath, 'run', 'src/main.ts', 'schema', 'ls'], { cwd: folder });
    expect(ls.stdout.toString()).toContain('gift_card');
    expect(generate(folder)).toEqual({ code: 0, said: '' });
    rmSync(folder, { recursive: true });
  }, 60_000);

  test('is refused in words in the wrong place, and so is one that is gone; nothing is written then', () => {
    const folder = copy();
    writeFileSync(join(folder, 'schemas/film/gift-card.ts'), made('film/click.ts'));
    expect(generate(folder).said).toContain(
      'schemas/film/gift-card.ts: event type gift_card belongs in schemas/shop/gift-card.ts',
    );
    rmSync(join(folder, 'schemas/film/gift-card.ts'));
    rmSync(join(folder, 'schemas/film/click.ts'));
    expect(generate(folder)).toMatchObject({ code: 1, said: expect.stringContaining('click: the type is gone') });
    expect(JSON.parse(readFileSync(join(folder, 'schemas/published.json'), 'utf8'))).toHaveProperty('click');
    rmSync(folder, { recursive: true });
  }, 60_000);
});
