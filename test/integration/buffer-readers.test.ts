// Which readers the disk buffer keeps: those the settings own, whatever roles a process has.

import { Database } from 'bun:sqlite';
import { expect, spyOn, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBufferFile } from '../../src/adapters/disk/inspect/operator.ts';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { openStore } from '../../src/adapters/disk/log/store.ts';
import { readConfig } from '../../src/config/read.ts';
import { ingest } from '../../src/roles/ingest.ts';
import { closeAll, start } from '../../src/serve.ts';
import { commitAll, envelopes, isEmpty, pollAll } from '../support/buffer.ts';
import { quietLogger, quietLogs } from '../support/quiet.ts';
import { until } from '../support/until.ts';

test('a process that only takes events keeps the reader of its neighbour, and forgets one that no setting has, in words', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ugc-readers-'));
  const bounds = { path: join(dataDir, 'buffer.sqlite'), bytesMax: 2 ** 28, diskReserveBytes: 0 };
  const neighbour = await sqliteBuffer(bounds);
  const etl = neighbour.source('etl');
  neighbour.source('archive');
  await neighbour.append(envelopes(10));
  await commitAll(etl, (await pollAll(etl, 10)).slice(0, 0));
  const warn = spyOn(quietLogger, 'warn');
  const read = readConfig({ flags: [`--data-dir=${dataDir}`, '--port=0', '--role=ingest'], env: {} });
  if (!read.ok) throw new Error(read.problems.join('; '));
  const opened: { close(): Promise<void> }[] = [];
  try {
    await start({ config: read.config, version: '0.0.0', roles: [ingest], logs: quietLogs(), opened });
    const file = openBufferFile(bounds);
    expect(file.stat().readers.map(({ reader, behind }) => ({ reader, behind }))).toEqual([
      { reader: 'etl', behind: 10 },
    ]);
    file.close();
    expect(warn.mock.calls.map(args => String(args.at(-1))).join('\n')).toContain(
      'the disk buffer forgets its reader archive, which these settings have not; 10 events it had not passed are kept for etl only',
    );
    await neighbour.append(envelopes(5, 'click', 'later'));
    await etl.close();
    const again = neighbour.source('etl');
    await commitAll(again, await pollAll(again, 15));
    await until(isEmpty(neighbour), 'nothing is kept for the forgotten one');
  } finally {
    warn.mockRestore();
    await closeAll(opened, quietLogs());
    await neighbour.close();
    rmSync(dataDir, { recursive: true });
  }
});

test('a repair under way, which holds everything, is no reader to be forgotten', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-readers-'));
  const path = join(folder, 'buffer.sqlite');
  // Without its thread, whose next sweep would end the repair.
  const store = openStore({ path, bytesMax: 2 ** 28, diskReserveBytes: 0 }, () => {});
  const file = new Database(path);
  try {
    file.run("INSERT INTO readers VALUES ('', '', 7)"); // as the index's repair marks itself
    store.register('archive');
    expect(store.keepReaders(['etl'])).toEqual([{ reader: 'archive', behind: 0 }]);
    expect(file.query('SELECT reader FROM readers ORDER BY reader').all()).toEqual([{ reader: '' }, { reader: 'etl' }]);
  } finally {
    file.close();
    store.close();
    rmSync(folder, { recursive: true });
  }
});
