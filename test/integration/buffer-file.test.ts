// The operator's port on real files: what it counts and finds is what was put in, and what it moves is in one place.

import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isBufferInUse, openBufferFile, openBufferRepair } from '../../src/adapters/disk/inspect/operator.ts';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { PipelineError } from '../../src/errors.ts';
import type { DiskBuffer, SetAside } from '../../src/ports/buffer.ts';
import type { BufferFile, BufferRepair, Requeued } from '../../src/ports/buffer-file.ts';
import { bodiesOf, commitAll, envelope, envelopes, idOf, idsOf, pollAll, pollSome } from '../support/buffer.ts';
import { readOnlyFolder } from '../support/read-only-folder.ts';
import { until } from '../support/until.ts';

let folder = '';
let path = '';
const opened: (BufferFile | DiskBuffer)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ugc-operator-'));
  path = join(folder, 'buffer.sqlite');
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(folder, { recursive: true });
});

const boundsOf = (at: string, bytesMax = 2 ** 30) => ({ path: at, bytesMax, diskReserveBytes: 0 });

function keep<T extends BufferFile | DiskBuffer>(one: T): T {
  opened.push(one);
  return one;
}

const reading = (at = path): BufferFile => keep(openBufferFile(boundsOf(at)));
const repairing = (bytesMax?: number): BufferRepair =>
  keep(openBufferRepair(boundsOf(path, bytesMax), message => expect(message).toBe('no complaint')));
const live = async (): Promise<DiskBuffer> => keep(await sqliteBuffer(boundsOf(path)));

const noDamage = (damage: unknown): void => expect(damage).toBe('none');
const idsIn = (file: BufferFile): string[] =>
  [...file.records({}, noDamage)].map(({ body }) => idOf(new TextDecoder().decode(body)));
const asideOf = (id: string, position: number, reason = 'Kafka: too large'): SetAside => {
  const { topic, type, body } = envelope(id);
  return { topic, type, body, position, index: 0, reason };
};
const requeued = (file: BufferFile): Requeued[] =>
  [...file.quarantined({})].map(from => ({
    from,
    envelope: envelope(idOf(new TextDecoder().decode(from.raw))),
  }));
const failure = (action: () => unknown): PipelineError => {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(PipelineError);
    return error as PipelineError;
  }
  throw new Error('it did not fail');
};

describe('the report', () => {
  test('counts by topic, type and reader what lies there, beside the process that writes it', async () => {
    const buffer = await live();
    const etl = buffer.source('etl');
    buffer.source('drain');
    await buffer.append(envelopes(30, 'click'));
    const [batch] = await pollSome(etl);
    await buffer.append([...envelopes(20, 'page_view'), ...envelopes(5, 'click')]);
    await etl.commit(batch!.ack);
    await buffer.setAside([asideOf('a', 1), asideOf('b', 2), asideOf('c', 3, 'Kafka: not allowed')]);

    const report = reading().stat();
    expect(report).toMatchObject({ events: 55, unreadableRows: 0, oldestAtMs: 1_795_000_000_000 });
    expect(report.topics.map(({ topic, type, events }) => [topic, type, events])).toEqual([
      ['ugc.click', 'click', 35],
      ['ugc.page_view', 'page_view', 20],
    ]);
    expect(report.readers).toEqual([
      {
        reader: 'drain',
        behind: 55,
        topics: [
          { topic: 'ugc.click', position: null, behind: 35 },
          { topic: 'ugc.page_view', position: null, behind: 20 },
        ],
      },
      {
        reader: 'etl',
        behind: 25,
        topics: [
          { topic: 'ugc.click', position: batch!.last, behind: 5 },
          { topic: 'ugc.page_view', position: null, behind: 20 },
        ],
      },
    ]);
    expect(report.quarantine.map(({ reason, records }) => [reason, records])).toEqual([
      ['Kafka: too large', 2],
      ['Kafka: not allowed', 1],
    ]);
    expect(report.left).toBe(2 ** 30 - report.bytes);
    expect((await buffer.stats()).events).toBe(report.events);
  });
});

describe('records', () => {
  test('come in order, each with its position and its key, and are found by topic, type and id', async () => {
    const buffer = await live();
    const ranges = [];
    for (const type of ['click', 'page_view', 'click'])
      ranges.push(await buffer.append(envelopes(7, type, `${type}-`)));
    const file = reading();
    const all = [...file.records({}, noDamage)];
    expect(all.map(({ position }) => position)).toEqual(
      ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => first + n)),
    );
    expect(all.every(({ key, body }) => key === `user-${idOf(new TextDecoder().decode(body))}`)).toBe(true);
    expect([...file.records({ type: 'page_view' }, noDamage)]).toEqual(all.slice(7, 14));
    expect([...file.records({ topic: 'ugc.click' }, noDamage)]).toEqual([...all.slice(0, 7), ...all.slice(14)]);
    expect([...file.records({ id: 'page_view-3' }, noDamage)]).toEqual([all[10]!]);
    expect([...file.records({ id: 'page_view' }, noDamage)]).toEqual([]);
  });

  test('are all there while others append and sweep; what comes later is not waited for', async () => {
    const buffer = await live();
    const etl = buffer.source('etl');
    await buffer.append(envelopes(600, 'click', 'old'));
    const file = reading();
    const seen: string[] = [];
    for (const { body } of file.records({}, noDamage)) {
      seen.push(idOf(new TextDecoder().decode(body)));
      if (seen.length % 100 === 0) await buffer.append(envelopes(50, 'click', `new${seen.length}-`));
    }
    expect(seen).toEqual(envelopes(600, 'click', 'old').map(({ id }) => id));
    await commitAll(etl, await pollAll(etl, 900));
  });
});

describe('requeueing', () => {
  test('moves records to the end of the log, where every reader comes by', async () => {
    const buffer = await live();
    const etl = buffer.source('etl');
    await buffer.append(envelopes(3));
    await commitAll(etl, await pollSome(etl));
    await buffer.setAside([asideOf('a', 1), asideOf('b', 2)]);
    const repair = repairing();
    expect(repair.requeue(requeued(repair))).toBe(2);
    const [batch] = await pollSome(etl);
    expect(bodiesOf(batch!).map(idOf)).toEqual(['a', 'b']);
    expect(await buffer.stats()).toMatchObject({ quarantined: 0 });
    expect(reading().verify(() => {}).problems).toEqual([]);
  });

  test('of the same record by two at once moves it once', async () => {
    const buffer = await live();
    await buffer.setAside([asideOf('a', 1), asideOf('b', 2)]);
    const [one, other] = [repairing(), repairing()];
    const [first, second] = [requeued(one), requeued(other)];
    expect(one.requeue(first.slice(0, 1))).toBe(1);
    expect(other.requeue(second)).toBe(1);
    expect(one.requeue(first)).toBe(0);
    expect(idsIn(reading())).toEqual(['a', 'b']);
  });

  test('without room leaves all where it is', async () => {
    const buffer = await live();
    await buffer.append(envelopes(2000));
    await buffer.setAside([asideOf('a', 1)]);
    const repair = repairing(2 ** 17);
    expect(failure(() => repair.requeue(requeued(repair))).code).toBe('buffer_full');
    expect([...repair.quarantined({})]).toHaveLength(1);
    expect(repair.stat().events).toBe(2000);
  });
});

describe('forgetting a reader', () => {
  test('says what it owes, gives back what only it held, and keeps what others have to pass', async () => {
    const buffer = await live();
    const [etl, drain] = [buffer.source('etl'), buffer.source('drain')];
    await buffer.append(envelopes(40, 'click'));
    await commitAll(drain, await pollAll(drain, 40));
    await buffer.append(envelopes(10, 'page_view'));
    const repair = repairing();
    expect(repair.backlogOf('etl')).toEqual({ behind: 50, lost: 40, otherReaders: ['drain'] });
    expect(repair.backlogOf('drain')).toEqual({ behind: 10, lost: 0, otherReaders: ['etl'] });
    expect(repair.backlogOf('nobody')).toBeNull();
    expect(repair.forget('nobody')).toBe(false);
    expect(repair.forget('etl')).toBe(true);
    while (repair.sweep().swept === 'more');
    expect(repair.stat()).toMatchObject({ events: 10, readers: [{ reader: 'drain', behind: 10 }] });
    // It was alive after all: its next commit registers it, and what is appended from then on is kept for it.
    await commitAll(etl, await pollSome(etl));
    expect(repair.stat().readers.map(({ reader }) => reader)).toEqual(['drain', 'etl']);
    await buffer.append(envelopes(3, 'click', 'later'));
    await commitAll(drain, await pollAll(drain, 13));
    expect(idsOf(await pollAll(etl, 3))).toContain('later2');
  });

  test('that is the last one deletes nothing', async () => {
    const buffer = await live();
    buffer.source('etl');
    await buffer.append(envelopes(5));
    const repair = repairing();
    expect(repair.backlogOf('etl')).toEqual({ behind: 5, lost: 0, otherReaders: [] });
    repair.forget('etl');
    while (repair.sweep().swept === 'more');
    expect(repair.stat()).toMatchObject({ events: 5, readers: [] });
  });

  test('knows whether a process has the file open', async () => {
    expect(isBufferInUse(path)).toBe(false);
    const buffer = await live();
    await buffer.append(envelopes(1));
    expect(isBufferInUse(path)).toBe(true);
    await buffer.append(envelopes(1));
    await buffer.close();
    expect(isBufferInUse(path)).toBe(false);
    expect(idsIn(reading())).toHaveLength(2);
  });
});

describe('a file that is not one to work on', () => {
  const opening = {
    read: () => openBufferFile(boundsOf(path)),
    repair: () => openBufferRepair(boundsOf(path), () => {}),
  };

  test('is refused in words, and stays as it is', async () => {
    const said = (words: string) => {
      for (const open of Object.values(opening)) {
        const error = failure(open);
        expect(error.message).toContain(words);
        expect(error.code).toBe('config_invalid');
      }
    };
    said('there is no buffer');
    writeFileSync(path, '');
    said('is empty');
    writeFileSync(path, 'not a database, but long enough to have a header of its own'.repeat(40));
    said('not a buffer');
    rmSync(path);
    const foreign = new Database(path);
    foreign.run('CREATE TABLE theirs (a)');
    foreign.close();
    said('belongs to another program');
    rmSync(path);
    await (await live()).close();
    const db = new Database(path);
    db.run('PRAGMA user_version = 99');
    db.close();
    said('newer ugc');
  });

  test('in a folder that cannot be written is read all the same', async () => {
    const buffer = await live();
    await buffer.append(envelopes(9));
    const killed = join(folder, 'killed');
    mkdirSync(killed);
    await until(() => Bun.file(`${path}-wal`).size > 0, 'the log is written');
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, join(killed, `buffer.sqlite${suffix}`));
    await buffer.close();
    const stopped = readOnlyFolder(folder);
    if (stopped === null) return;
    try {
      const file = reading(join(stopped.path, 'buffer.sqlite'));
      expect(idsIn(file)).toHaveLength(9);
      expect(file.stat().events).toBe(9);
      expect(file.verify(() => {}).problems).toEqual([]);
      file.close();
      // Of a killed instance: its log cannot be read there, and it says what to do.
      const left = failure(() => openBufferFile(boundsOf(join(stopped.path, 'killed/buffer.sqlite'))));
      expect(left.message).toContain('Copy the two files elsewhere');
      expect(idsIn(reading(join(killed, 'buffer.sqlite')))).toHaveLength(9);
    } finally {
      stopped.release();
    }
  });
});
