import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import type { startThread } from '../../src/adapters/disk/log/thread.ts';
import { memoryBuffer } from '../../src/adapters/memory/buffer.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import type { Source } from '../../src/ports/source.ts';
import { askingAgain, failingThread } from '../support/failing-thread.ts';
import { randomOf } from '../support/random.ts';
import { type LogUnderTest, type SourceFeatures, sourceContract, type Written } from './source.contract.ts';

const shared = {
  orderedPerKey: true,
  positions: true,
  lag: true,
  ownership: { not: 'a reader of the buffer is one process’s, and has all of it' },
} as const;

const onDisk: SourceFeatures = { ...shared, logIdentity: true };
const inMemory: SourceFeatures = { ...shared, logIdentity: { not: 'nothing of it outlives the process' } };

let names = 0;

function logOver(
  buffer: DiskBuffer,
  { seen = source => source, dispose = () => {} }: { seen?: (source: Source) => Source; dispose?: () => void } = {},
): LogUnderTest {
  return {
    topics: async count => Array.from({ length: count }, () => `t.${++names}`),
    write: async (topic, events: readonly Written[]) => {
      await buffer.append(
        events.map(({ body, type = 'page_view', key = null }) => ({
          ...{ id: JSON.parse(body).event_id, type, version: 1, topic, key, body },
          receivedAtMs: 1_795_000_000_000,
        })),
      );
    },
    open: reader => seen(buffer.source(reader)),
    dispose: async () => {
      await buffer.close();
      dispose();
    },
  };
}

async function openOnDisk(start?: typeof startThread): Promise<LogUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-source-'));
  const options = { path: join(folder, 'buffer.sqlite'), bytesMax: 2 ** 28, diskReserveBytes: 0 };
  const buffer = await sqliteBuffer(options, start);
  const dispose = (): void => rmSync(folder, { recursive: true });
  return logOver(start === undefined ? buffer : askingAgain(buffer), { dispose });
}

sourceContract('memory', { features: inMemory, open: async () => logOver(memoryBuffer()) });

/** As a queue gives them, whose delivery tags are of one connection. */
const withoutPositions = (source: Source): Source => ({
  ...source,
  poll: async (options, signal) =>
    (await source.poll(options, signal)).map(({ first: _, last: __, ...batch }) => batch),
});

sourceContract('memory without positions', {
  features: { ...inMemory, positions: { not: 'made as a log that has none' } },
  open: async () => logOver(memoryBuffer(), { seen: withoutPositions }),
});

sourceContract('disk', { features: onDisk, open: () => openOnDisk() });

const failing = failingThread(randomOf('failing source'), 0.3, new Set(['register', 'read', 'commit']));

sourceContract('disk whose file cannot be read now and then', {
  features: onDisk,
  open: () => openOnDisk(failing.start),
});
