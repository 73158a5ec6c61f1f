import { describe, expect, test } from 'bun:test';
import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elsewhereOf } from '../../../../src/adapters/disk/read/elsewhere.ts';
import { temporaryFolder } from '../../../support/ugc.ts';
import { soon } from '../../../support/until.ts';

function watched() {
  const path = join(temporaryFolder(), 'buffer.sqlite');
  const log = `${path}-wal`;
  let nowMs = Date.now() + 10_000; // long after anything was written
  return {
    log,
    elsewhere: elsewhereOf(path, { now: () => nowMs, lookAtRestEveryMs: 3_600_000 }),
    pass: (ms: number) => (nowMs += ms),
  };
}

test('a log that stays as it is was not written to', () => {
  const { log, elsewhere, pass } = watched();
  writeFileSync(log, 'a');
  elsewhere.note();
  pass(20);
  expect(elsewhere.mayHaveWritten()).toBe(false);
});

test('one that is made, grows, or is written over in place was', () => {
  const { log, elsewhere } = watched();
  elsewhere.note();
  expect(elsewhere.mayHaveWritten()).toBe(false);
  writeFileSync(log, 'a');
  expect(elsewhere.mayHaveWritten()).toBe(true);
  elsewhere.note();
  appendFileSync(log, 'b');
  expect(elsewhere.mayHaveWritten()).toBe(true);
  elsewhere.note();
  utimesSync(log, new Date(1), new Date(2)); // the same size, another time
  expect(elsewhere.mayHaveWritten()).toBe(true);
});

test('one that was written to in the very moment of the look may be written to again and show the same time', () => {
  const path = join(temporaryFolder(), 'buffer.sqlite');
  let nowMs = 0;
  const elsewhere = elsewhereOf(path, { now: () => nowMs });
  writeFileSync(`${path}-wal`, 'a');
  nowMs = Date.now();
  elsewhere.note();
  expect(elsewhere.mayHaveWritten()).toBe(true);
  nowMs += 1_000;
  elsewhere.note();
  expect(elsewhere.mayHaveWritten()).toBe(false);
});

test('a whole look is due now and then, whatever the file says', () => {
  const { log, elsewhere, pass } = watched();
  writeFileSync(log, 'a');
  elsewhere.note();
  pass(1_001);
  expect(elsewhere.mayHaveWritten()).toBe(true);
});

describe('waiting', () => {
  async function writeAndBeTold({ log, elsewhere }: Pick<ReturnType<typeof watched>, 'log' | 'elsewhere'>) {
    const called = Promise.withResolvers<void>();
    const stop = elsewhere.wait(called.resolve);
    appendFileSync(log, 'b');
    await soon(called.promise, 'the write to be told of');
    stop();
  }

  test('ends with a write', async () => {
    const { log, elsewhere } = watched();
    writeFileSync(log, 'a');
    elsewhere.note();
    await writeAndBeTold({ log, elsewhere });
    elsewhere.close();
  });

  test('ends with a write at rest, when nobody looks, and again after it', async () => {
    const { log, elsewhere, pass } = watched();
    for (let round = 0; round < 3; round++) {
      writeFileSync(log, 'a');
      elsewhere.note();
      pass(10_000);
      elsewhere.note();
      elsewhere.wait(() => {})(); // from now on the kernel tells
      await writeAndBeTold({ log, elsewhere });
    }
    elsewhere.close();
  });

  test('is told of nothing after it was ended', async () => {
    const { log, elsewhere } = watched();
    writeFileSync(log, 'a');
    elsewhere.note();
    let calls = 0;
    elsewhere.wait(() => calls++)();
    appendFileSync(log, 'b');
    await Bun.sleep(60); // three looks, had there been any
    expect(calls).toBe(0);
    elsewhere.close();
  });
});
