// What a newer ugc left in the disk buffer, through the compiled binary: it waits, said where an operator looks, and becomes
// rows as soon as the type's newer version is known.

import { afterEach, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { typedEvent, typeFiles, typeJson } from '../support/type-files.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const started: Ugc[] = [];
afterEach(() => Promise.all(started.splice(0).map(ugc => ugc.stop())));

test('an event of a newer version waits beside all others, and is a row once the newer definition is there', async () => {
  const dataDir = temporaryFolder();
  const files = typeFiles(join(temporaryFolder(), 'types'));
  const start = async (...more: string[]): Promise<Ugc> => {
    const flags = [`--schemas-dir=${files.folder}`, '--request-log=false', ...more];
    const ugc = await startUgc({ dataDir, flags });
    started.push(ugc);
    return ugc;
  };
  files.write(typeJson('trailer_watched', { version: 2 }));
  const newer = await start('--role=ingest');
  expect((await newer.post(typedEvent('trailer_watched', { seconds: 7 }))).status).toBe(200);
  await newer.stop();

  // A binary that has never heard of version 2.
  rmSync(join(dataDir, 'types'), { recursive: true });
  files.write(typeJson('trailer_watched', { version: 1 }));
  const older = await start();
  const waits = await eventually(async () => {
    const response = await fetch(`${older.url}/healthz/ready`);
    const { detail } = (await response.json()) as { detail: Record<string, string> };
    return Object.entries(detail).find(([name]) => name.startsWith('topic ')) ?? null;
  });
  expect(waits[1]).toBe('trailer_watched of version 2 was written by a newer ugc, this one knows 1: upgrade this one');
  expect(older.output()).toContain('the topic waits: trailer_watched of version 2');
  for (const table of ['trailer_watched', 'dead_letters'])
    expect(await older.query(`SELECT * FROM ugc.${table}`)).toEqual([]);

  files.write(typeJson('trailer_watched', { version: 2 }));
  const [row] = await eventually(async () => {
    const rows = await older.query('SELECT * FROM ugc.trailer_watched');
    return rows.length > 0 && rows;
  });
  expect(row).toMatchObject({ schema_version: 2, seconds: 7 });
  const response = await fetch(`${older.url}/healthz/ready`);
  expect(Object.keys(((await response.json()) as { detail: object }).detail)).toEqual([]);
});
