// The types of the SDK, held to a compiler: every example is one of them, and what the edge refuses is not.

import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue } from '../../../schemas/catalogue.ts';
import { typescriptOf } from '../../../schemas/typescript.ts';
import { everyKind } from '../../support/every-kind.ts';

const types = [everyKind, ...catalogue.types];

test('every example is an event to the compiler, and one with a wrong field is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-types-'));
  try {
    const examples = types.map(({ example }) => `use(${JSON.stringify(example)});`);
    const { timestamp: _, ...timeless } = catalogue.find('click')!.example;
    examples.push(`use(${JSON.stringify({ ...timeless, sent_at: 1 })});`);
    const wrong = [
      { ...catalogue.find('logging_in')!.example, login_type: 3 },
      { ...catalogue.find('cart_add')!.example, item_id: null },
      { ...catalogue.find('click')!.example, element: 5 },
      { ...catalogue.find('click')!.example, elemnt: 'x' },
      { event_type: 'clik' },
      { ...timeless },
      { ...timeless, timestamp: null },
      { ...timeless, sent_at: null },
    ].map(event => `// @ts-expect-error\nuse(${JSON.stringify(event)});`);
    const source = [typescriptOf(types), 'declare function use(event: UgcEvent): void;', ...examples, ...wrong];
    writeFileSync(join(folder, 'events.ts'), source.join('\n'));
    const tsc = join(import.meta.dir, '../../../node_modules/.bin/tsc');
    const child = Bun.spawn([tsc, '--noEmit', '--strict', '--target', 'esnext', '--ignoreConfig', 'events.ts'], {
      cwd: folder,
      stdout: 'pipe',
    });
    expect(await new Response(child.stdout).text()).toBe('');
    expect(await child.exited).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
