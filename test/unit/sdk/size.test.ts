// What every page of every visitor loads: as it is served, as small as it was promised.

import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipBytesOf, inside, type SdkEntry, sdkText } from '../../../.ci/sdk.ts';

const root = join(import.meta.dir, '../../..');
const most: Readonly<Record<SdkEntry, number>> = { core: 3_072, browser: 5_120, script: 5_120, server: 3_072 };

test.each(Object.entries(most) as [SdkEntry, number][])('%s is at most %i bytes, compressed', async (entry, bytes) => {
  const text = await sdkText(root, entry);
  expect(gzipBytesOf(text)).toBeLessThanOrEqual(bytes);
  // A page that hears of unload is kept out of the back/forward cache.
  expect(text).not.toMatch(/unload/);
});

test('what is made short is no name that a page, a program or an event says', () => {
  const said = ['tracker', 'events'].flatMap(file =>
    [...readFileSync(join(root, `sdk/src/${file}.ts`), 'utf8').matchAll(/^ *(?:readonly )?(\w+)[?(:<]/gm)].map(
      ([, name]) => name!,
    ),
  );
  expect(said).toContain('onLeave');
  expect(said).toContain('page_url');
  expect(said.filter(name => inside.test(name))).toEqual([]);
});
