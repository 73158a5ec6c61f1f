import { afterEach, describe, expect, test } from 'bun:test';
import { hashOf } from '../../../src/archive/read-file.ts';
import { formatsOf } from '../../../src/roles/row-files/formats.ts';
import { type EncodingThread, encodingThread } from '../../../src/roles/row-files/thread.ts';
import { nicenessesOf } from '../../support/niceness.ts';
import { seenTable as definition, seenLine } from '../../support/rows.ts';

const settings = { archiveCompression: 'snappy', archiveNice: 3 } as const;
const formats = formatsOf(settings);
const open: EncodingThread[] = [];
const opened = (): EncodingThread => {
  const thread = encodingThread(settings);
  open.push(thread);
  return thread;
};
afterEach(() => {
  for (const thread of open.splice(0)) thread.close();
});

/** Some rows in chunks, which end within lines. */
function chunksOf(rows: number, chunkBytes = 1_000): Uint8Array[] {
  const bytes = Buffer.from(`${Array.from({ length: rows }, () => seenLine().trimEnd()).join('\n')}\n`);
  return Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, at) =>
    bytes.subarray(at * chunkBytes, (at + 1) * chunkBytes),
  );
}

test('it stands back for others, and who asks it does not', async () => {
  const before = nicenessesOf(process.pid);
  await opened().encode(formats.parquet, definition, chunksOf(10));
  const made = nicenessesOf(process.pid);
  expect(made.filter(nice => nice === 3).length).toBeGreaterThan(before.filter(nice => nice === 3).length);
  expect(made[0]).toBe(before[0]!);
});

test('it is handed what it needs of the settings, and nothing else', async () => {
  const whole = { ...settings, password: 'hidden', has: () => true }; // a function cannot be handed over
  const thread = encodingThread(whole);
  open.push(thread);
  expect((await thread.encode(formats.csv, definition, chunksOf(10))).content.length).toBeGreaterThan(0);
});

describe.each(Object.values(formats))('$name', format => {
  test('its files are those of this thread, byte for byte, however many are asked for at once', async () => {
    const thread = opened();
    const asked = [1, 700, 20_000, 3].map(rows => chunksOf(rows)); // the third is several copies
    const made = await Promise.all(asked.map(chunks => thread.encode(format, definition, chunks)));
    for (const [at, chunks] of asked.entries()) {
      const expected = format.encode(definition, chunks);
      expect(made[at]!.sha256).toBe(hashOf(expected));
      expect(Buffer.compare(made[at]!.content, expected)).toBe(0);
    }
  });

  test('rows that are none are refused as they are here, and the next file is made', async () => {
    const thread = opened();
    const wrong = [Buffer.from('{"event_id":"no\n')];
    expect(() => format.encode(definition, wrong)).toThrow();
    const refused = await thread.encode(format, definition, wrong).catch(error => error);
    expect([refused instanceof Error, 'code' in refused]).toEqual([true, false]);
    expect((await thread.encode(format, definition, chunksOf(5))).content.length).toBeGreaterThan(0);
  });
});

test('what is gathered stays as it was, for another try', async () => {
  const chunks = chunksOf(2_000);
  const before = hashOf(Buffer.concat(chunks));
  await opened().encode(formats.csv, definition, chunks);
  expect(hashOf(Buffer.concat(chunks))).toBe(before);
});

test('closed over a file, and after it, it may be asked again elsewhere', async () => {
  const thread = opened();
  const asked = [
    thread.encode(formats.parquet, definition, chunksOf(100_000, 1_000_000)),
    thread.encode(formats.csv, definition, chunksOf(1)),
  ];
  await Bun.sleep(1);
  thread.close();
  thread.close();
  for (const each of [...asked, thread.encode(formats.csv, definition, chunksOf(1))])
    expect(await each.catch(error => error)).toMatchObject({ code: 'archive_unavailable' });
});
