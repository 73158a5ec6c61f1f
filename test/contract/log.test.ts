import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { memoryBuffer } from '../../src/adapters/memory/buffer.ts';
import { PipelineError } from '../../src/errors.ts';
import { breakerOf } from '../../src/log/breaker.ts';
import { copiesOf } from '../../src/log/copies.ts';
import { diskLog } from '../../src/log/disk-log.ts';
import { hedge } from '../../src/log/hedge.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import { idsOf, pollSome } from '../support/buffer.ts';
import { memoryLog } from '../support/memory-log.ts';
import { type LogUnderTest, logContract } from './log.contract.ts';

function over(buffer: DiskBuffer, remove: () => void): LogUnderTest {
  const source = buffer.source('test');
  return {
    log: diskLog(buffer),
    stored: 'disk',
    readBack: async () => idsOf(await pollSome(source)),
    async dispose() {
      await buffer.close();
      remove();
    },
  };
}

logContract('the memory buffer', async () => over(memoryBuffer(), () => {}));

for (const isDown of [false, true])
  logContract(`the hedge with the broker ${isDown ? 'down' : 'up'}`, async () => {
    const [broker, disk] = [memoryLog('kafka'), memoryLog('disk')];
    if (isDown) broker.fail(() => new PipelineError('log_unavailable'));
    const breaker = breakerOf({ budgetMs: 100 });
    return {
      log: hedge({ broker, disk, breaker, copies: copiesOf(), budgetMs: 100 }),
      stored: isDown ? 'disk' : 'kafka',
      readBack: async () => [...broker.published, ...disk.published].map(({ id }) => id),
      dispose: async () => {},
    };
  });

logContract('the sqlite buffer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-log-'));
  const path = join(folder, 'buffer.sqlite');
  return over(await sqliteBuffer({ path, bytesMax: 2 ** 28, diskReserveBytes: 0 }), () =>
    rmSync(folder, { recursive: true }),
  );
});
