// The buffer's file against what happens to processes: killed writers and readers, two processes at once. Full disks:
// sqlite-space.test.ts; what the file itself may be: sqlite-file.test.ts.

import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import type { PositionedBatch, PositionedSource } from '../../src/ports/source.ts';
import { childTypes, commitAll, envelope, envelopes, idsOf, isEmpty, pollAll, pollSome } from '../support/buffer.ts';
import { bufferFolder } from '../support/buffer-folder.ts';
import { randomOf } from '../support/random.ts';
import { until } from '../support/until.ts';

const at = bufferFolder();
const { open } = at;

/** A child process, and the ids of every complete line it has printed. */
function child(mode: 'append' | 'move', prefix = '') {
  const script = join(import.meta.dir, '../support/buffer-child.ts');
  const process_ = Bun.spawn([process.execPath, script, mode, at.path, prefix], { stdout: 'pipe', stderr: 'inherit' });
  const lines: string[] = [];
  const reading = (async () => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of process_.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = parts.pop()!;
      lines.push(...parts);
    }
  })();
  return {
    ids: () => lines.flatMap(line => line.split(' ')),
    hasSpoken: () => lines.length > 0,
    async kill() {
      process_.kill('SIGKILL');
      await process_.exited;
      await reading;
    },
  };
}

/** What is in the file now, whoever wrote it: of each topic up to a record of our own. */
async function pollToTheEnd(buffer: DiskBuffer, source: PositionedSource): Promise<PositionedBatch[]> {
  const ends = childTypes.map(type => envelope(`end of ${type}`, type));
  await buffer.append(ends);
  const all: PositionedBatch[] = [];
  while (ends.some(({ id }) => !idsOf(all).includes(id))) all.push(...(await pollSome(source)));
  return all;
}

describe('kill -9', () => {
  test('vector#25639, connect#2757: of a writer at any moment loses nothing acked, and doubles nothing', async () => {
    const random = randomOf('killed writer');
    const acked: string[] = [];
    for (let round = 0; round < 12; round++) {
      const writer = child('append', `r${round}`);
      await until(writer.hasSpoken, 'the writer has acked something');
      await Bun.sleep(random.between(0, 120)); // the random moment, not a wait for anything
      await writer.kill();
      acked.push(...writer.ids());
    }
    const buffer = await open();
    const stored = idsOf(await pollToTheEnd(buffer, buffer.source('etl')));
    const once = new Set(stored);
    expect(once.size).toBe(stored.length);
    expect(acked.filter(id => !once.has(id)).slice(0, 10)).toEqual([]);
    expect(acked.length).toBeGreaterThan(0);
  });

  test('of a reader while another process writes: every acked event is read, and the buffer ends empty', async () => {
    const random = randomOf('killed reader');
    const read = new Set<string>();
    const writer = child('append', 'w');
    await until(writer.hasSpoken, 'the writer has acked something');
    for (let round = 0; round < 6; round++) {
      const reader = child('move');
      await until(reader.hasSpoken, 'the reader has read something');
      await Bun.sleep(random.between(0, 150)); // the random moment
      await reader.kill();
      for (const id of reader.ids()) read.add(id);
    }
    await writer.kill();
    const buffer = await open();
    const source = buffer.source('etl');
    const rest = await pollToTheEnd(buffer, source);
    for (const id of idsOf(rest)) read.add(id);
    await commitAll(source, rest);
    expect(
      writer
        .ids()
        .filter(id => !read.has(id))
        .slice(0, 10),
    ).toEqual([]);
    await until(isEmpty(buffer), 'the buffer is empty');
  });
});

describe('two buffers over one file', () => {
  test('what one appends wakes a poll of the other', async () => {
    const [ingest, etl] = [await open(), await open()];
    const source = etl.source('etl');
    for (let i = 0; i < 20; i++) {
      const polled = pollSome(source);
      await ingest.append([envelope(`${i}`)]);
      const batches = await polled;
      expect(idsOf(batches)).toEqual([`${i}`]);
      await commitAll(source, batches);
    }
    await until(isEmpty(ingest), 'the buffer is empty');
  });

  test('both may append: positions are never given twice', async () => {
    const [one, two] = [await open(), await open()];
    const source = one.source('etl');
    const append = (buffer: DiskBuffer, name: string) =>
      Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          Bun.sleep(i % 7).then(() => buffer.append(envelopes(3, 'click', `${name}${i}-`))),
        ),
      );
    await Promise.all([append(one, 'a'), append(two, 'b')]);
    const batches = await pollAll(source, 360);
    expect(new Set(idsOf(batches)).size).toBe(360);
    for (let i = 1; i < batches.length; i++) expect(batches[i]!.first).toBeGreaterThan(batches[i - 1]!.last);
  });

  test('a long drain does not keep the other from appending', async () => {
    const [ingest, etl] = [await open(), await open()];
    const source = etl.source('etl');
    for (let i = 0; i < 1500; i++) await ingest.append([envelope(`${i}`, 'click', 'x'.repeat(30_000))]);
    await source.commit((await pollAll(source, 1500)).at(-1)!.ack);
    let appended = 0;
    let slowestMs = 0;
    for (let deletedAll = false; !deletedAll; appended++) {
      const at = performance.now();
      await ingest.append([envelope(`${appended}`, 'page_view')]);
      slowestMs = Math.max(slowestMs, performance.now() - at);
      deletedAll = (await etl.stats()).events <= appended + 1;
    }
    console.log(`${appended} appends beside a drain, the slowest took ${slowestMs.toFixed(1)} ms`);
    expect(appended).toBeGreaterThan(2); // one that had to wait for the whole drain would be the first and the last
  });
});
