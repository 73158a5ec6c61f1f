import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type MemorySink, memorySink } from '../../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../../src/errors.ts';
import { type Lane, type LaneOptions, startLane } from '../../../src/mover/lane.ts';
import { paceOf } from '../../../src/mover/pace.ts';
import type { Batch } from '../../../src/ports/source.ts';
import { batchOf } from '../../support/list-source.ts';
import { bodies, body } from '../../support/moving.ts';
import { moverMetrics, quietLogger, samplesOf, sharedMetrics } from '../../support/quiet.ts';
import { soon, until } from '../../support/until.ts';

let stopping: AbortController;
let givingUp: AbortController;
let sink: MemorySink;
let finished: Batch[];
let rooms: number;
const lanes: Lane[] = [];

beforeEach(() => {
  stopping = new AbortController();
  givingUp = new AbortController();
  sink = memorySink({ refuse: row => (row.event_id.endsWith('!') ? 'no' : null) });
  finished = [];
  rooms = 0;
});

afterEach(async () => {
  stopping.abort();
  givingUp.abort();
  for (const lane of lanes.splice(0))
    await soon(
      lane.done.catch(() => {}),
      'the lane to stop',
    );
  expect(sink.inFlight()).toBe(0);
});

function start({ sink: into = sink, ...options }: Partial<LaneOptions> & { sink?: MemorySink } = {}): Lane {
  const lane = startLane('click', {
    sink: into,
    deadLetters: into,
    blockRowsMax: 100,
    blockBytesMax: 100_000,
    intervalMs: 0,
    pace: paceOf({ intervalMs: 0, sparesMax: 0 }),
    logger: quietLogger,
    metrics: moverMetrics,
    stopping: stopping.signal,
    givingUp: givingUp.signal,
    onRoom: () => {
      rooms++;
    },
    onFinished: async batches => {
      // the contract: by now each record is in the sink
      for (const batch of batches)
        for (const line of batch.ndjson.toString().trimEnd().split('\n')) {
          const { event_id: id } = JSON.parse(line) as { event_id: string };
          expect(sink.rows('click').has(id) || id.endsWith('!')).toBe(true);
        }
      finished.push(...batches);
    },
    ...options,
  });
  lanes.push(lane);
  return lane;
}

let positions = 0;
const batchFrom = (oldestAtMs: number, ...names: string[]): Batch => {
  positions += 100;
  return batchOf({ topic: 't', type: 'click', bodies: names.map(name => body(name)), oldestAtMs }, positions);
};
const batch = (...names: string[]): Batch => batchFrom(Date.now(), ...names);
const rows = () => [...sink.rows('click').keys()];
const tokens = () => sink.attempts().map(({ token }) => token);
const unknown = new PipelineError('sink_unknown', 'reset');
const overloaded = new PipelineError('sink_overloaded');
const broken = new PipelineError('sink_halted', 'no such table');

describe('batches', () => {
  test('are inserted, and finished only then', async () => {
    const lane = start();
    const given = batch('a', 'b');
    const release = sink.hold('click');
    lane.add(given);
    await until(() => sink.inFlight() === 1, 'the insert is under way');
    expect(finished).toEqual([]);
    release();
    await until(() => finished.length === 1, 'the batch is finished');
    expect(finished).toEqual([given]);
    expect(rows()).toEqual(['a', 'b']);
  });

  test('that come during an insert wait for it, and then go together', async () => {
    const lane = start();
    const release = sink.hold('click');
    lane.add(batch('a'));
    await until(() => sink.inFlight() === 1, 'the first insert is under way');
    for (const name of ['b', 'c', 'd']) lane.add(batch(name));
    await Bun.sleep(0);
    expect(sink.inFlight()).toBe(1);
    release();
    await until(() => finished.length === 4, 'all are finished');
    expect(sink.attempts().map(({ ids }) => ids)).toEqual([['a'], ['b', 'c', 'd']]);
  });

  test('that find the table at rest leave at once, however long the interval', async () => {
    const lane = start({ intervalMs: 60_000 });
    lane.add(batch('a'));
    await until(() => finished.length === 1, 'the batch is finished');
  });

  test('that come after a backlog wait an interval at most, however many blocks of it did not wait', async () => {
    const lane = start({ intervalMs: 200, blockRowsMax: 4 });
    for (let at = 0; at < 40; at++) {
      lane.add(batch('a', 'b'));
      await until(() => finished.length === at + 1, 'half of a block has not waited');
    }
    lane.add(batch('fresh'));
    // One after the other: a machine that stands still delays them as much as it.
    for (let waited = 0; finished.length < 41 && waited < 5; waited++) await Bun.sleep(200);
    expect(finished.length).toBe(41);
  });

  test('of a backlog wait for half of a block, fresh ones behind it do not', async () => {
    const lane = start({ intervalMs: 60_000, blockRowsMax: 4 });
    lane.add(batchFrom(0, 'a', 'b'));
    await until(() => finished.length === 1, 'half of a block has not waited');
    lane.add(batchFrom(0, 'c'));
    await Bun.sleep(30); // the window in which it may not be inserted
    expect(sink.attempts()).toHaveLength(1);
    lane.add(batchFrom(0, 'd'));
    await until(() => finished.length === 3, 'the two are in one block');
    expect(sink.attempts()).toHaveLength(2);
    lane.add(batch('fresh'));
    await until(() => finished.length === 4, 'the fresh one is in, as an insert is spare');
  });

  test('that find the table in use wait for the interval, unless there are enough of them', async () => {
    const lane = start({ intervalMs: 60_000, sparesMax: 0, blockRowsMax: 10 });
    lane.add(batch('a'));
    await until(() => finished.length === 1, 'the first is finished');
    lane.add(batch('b'));
    await Bun.sleep(30);
    expect(sink.attempts()).toHaveLength(1);
    lane.add(batch('c', 'd', 'e', 'f'));
    await until(() => finished.length === 3, 'half a block was enough');
    expect(sink.attempts()).toHaveLength(2);
  });

  test('that come now and then leave at once, as long as inserts are spare', async () => {
    const lane = start({ intervalMs: 60_000, sparesMax: 2 });
    for (const [at, id] of ['a', 'b', 'c'].entries()) {
      lane.add(batch(id));
      await until(() => finished.length === at + 1, `${id} is finished`);
    }
    lane.add(batch('d'));
    await Bun.sleep(30); // the window in which it may not be inserted
    expect(sink.attempts()).toHaveLength(3);
  });

  test('wait for the interval and then leave', async () => {
    const lane = start({ intervalMs: 50, sparesMax: 0 });
    lane.add(batch('a'));
    await until(() => finished.length === 1, 'the first is finished');
    lane.add(batch('b'));
    await until(() => finished.length === 2, 'the second is finished');
  });

  test('wait for the turn of their table, unless there are enough of them', async () => {
    const pace = paceOf({ intervalMs: 60_000, sparesMax: 0 });
    await pace.turn(stopping.signal); // another table’s
    const lane = start({ pace, blockRowsMax: 10 });
    lane.add(batch('a'));
    await Bun.sleep(30); // the window in which it may not be inserted
    expect(sink.attempts()).toHaveLength(0);
    lane.add(batch('b', 'c', 'd', 'e'));
    await until(() => finished.length === 2, 'half a block was enough');
    expect(sink.attempts()).toHaveLength(1);
  });

  test('are cut into blocks by rows and by bytes', async () => {
    const lane = start({ blockRowsMax: 3 });
    for (const names of [['a', 'b'], ['c'], ['d'], ['e', 'f', 'g', 'h']]) lane.add(batch(...names));
    await until(() => finished.length === 4, 'all are finished');
    expect(sink.attempts().map(({ ids }) => ids.length)).toEqual([3, 1, 4]);
  });
});

describe('a lane', () => {
  test('is full by rows or bytes, and tells when it no longer is', async () => {
    const release = sink.hold('click');
    const lane = start({ blockRowsMax: 4 });
    lane.add(batch('a'));
    await until(() => sink.inFlight() === 1, 'the first insert is under way');
    lane.add(batch('b', 'c', 'd'));
    expect(lane.isFull).toBe(false);
    lane.add(batch('e'));
    expect(lane.isFull).toBe(true);
    expect(rooms).toBe(0);
    release();
    await until(() => finished.length === 3, 'all are finished');
    expect({ rooms, isFull: lane.isFull }).toEqual({ rooms: 1, isFull: false });

    const bytes = batch(...Array.from({ length: 3 }, (_, at) => `n${at}`));
    const other = start({ blockBytesMax: bytes.ndjson.length, blockRowsMax: 1_000 });
    other.add(bytes);
    expect(other.isFull).toBe(true);
    await until(() => finished.length === 4, 'it is finished');
  });

  test('knows the topics it has had records from', () => {
    const lane = start();
    lane.add(batch('a'));
    lane.add(batchOf({ topic: 'other', type: 'click', bodies: bodies('o', 1) }));
    expect([...lane.topics]).toEqual(['t', 'other']);
  });

  test('is broken when committing is, and says so', async () => {
    const lane = start({ onFinished: () => Promise.reject(new Error('the disk is gone')) });
    lane.add(batch('a'));
    await expect(lane.done).rejects.toThrow('the disk is gone');
  });
});

describe('an insert that fails', () => {
  test('with an unknown outcome is repeated under the same token, stored or not', async () => {
    sink.failNext('insert', { error: unknown });
    sink.failNext('insert', { error: unknown, isStored: true });
    const lane = start();
    lane.add(batch('a', 'b'));
    await until(() => finished.length === 1, 'the batch is finished');
    expect(new Set(tokens()).size).toBe(1);
    expect(tokens()).toHaveLength(3);
    expect(rows()).toEqual(['a', 'b']);
    expect(sink.letters()).toEqual([]);
  });

  test('is repeated as it was: what came since waits', async () => {
    sink.failNext('insert', { error: unknown });
    const lane = start();
    lane.add(batch('a'));
    await until(() => sink.attempts().length === 1, 'it was tried');
    lane.add(batch('b'));
    await until(() => finished.length === 2, 'both are finished');
    expect(sink.attempts().map(({ ids }) => ids)).toEqual([['a'], ['a'], ['b']]);
    expect(new Set(tokens()).size).toBe(2);
  });

  test('with something that is no PipelineError has an unknown outcome', async () => {
    sink.failNext('insert', { error: new TypeError('a bug') as unknown as PipelineError });
    const lane = start();
    lane.add(batch('a'));
    await until(() => finished.length === 1, 'the batch is finished');
    expect(new Set(tokens()).size).toBe(1);
    expect(sink.letters()).toEqual([]);
  });

  test('because ClickHouse is overloaded is no halt', async () => {
    sink.failNext('insert', { error: overloaded });
    const lane = start();
    lane.add(batch('a'));
    await until(() => sink.attempts().length === 1, 'it was tried');
    expect(lane.halted).toBeNull();
    await until(() => finished.length === 1, 'the batch is finished');
  });

  test('because the table needs repair halts the lane, which resumes by itself', async () => {
    sink.halt('click', broken);
    const lane = start();
    lane.add(batch('a'));
    await until(() => lane.halted !== null, 'it is halted');
    expect(lane.halted).toBe('no such table');
    expect(await samplesOf(sharedMetrics, 'ugc_etl_halted')).toMatchObject({ 'table=click': 1 });
    expect(finished).toEqual([]);
    sink.resume('click');
    await until(() => finished.length === 1, 'it has resumed');
    expect(lane.halted).toBeNull();
    expect(await samplesOf(sharedMetrics, 'ugc_etl_halted')).toMatchObject({ 'table=click': 0 });
    expect(new Set(tokens()).size).toBe(1);
  });
});

describe('a refusal', () => {
  test('dead-letters exactly the bad records and inserts the rest, under a token of its own', async () => {
    const lane = start();
    lane.add(batch('a', 'b!'));
    await until(() => finished.length === 1, 'the batch is finished');
    expect(rows()).toEqual(['a']);
    expect(sink.letters().map(({ position, index, reason }) => ({ position, index, reason }))).toEqual([
      { position: positions + 1, index: 0, reason: 'refused' },
    ]);
    expect(sink.attempts()).toHaveLength(2);
    expect(new Set(tokens()).size).toBe(2);
  });

  test('of every record inserts nothing, and the batch is finished', async () => {
    const lane = start();
    const given = batch('a!', 'b!');
    lane.add(given);
    await until(() => finished.length === 1, 'the batch is finished');
    expect(finished).toEqual([given]);
    expect(rows()).toEqual([]);
    expect(sink.letters()).toHaveLength(2);
  });

  test('loses nothing when the check, the dead letters or the rest fail on the way', async () => {
    sink.failNext('check', { error: unknown });
    sink.failNext('deadLetter', { error: unknown });
    sink.failNext('deadLetter', { error: broken, isStored: true });
    const lane = start();
    lane.add(batch('a', 'b!', 'c'));
    await until(() => sink.letters().length === 1, 'the dead letter is stored');
    sink.failNext('insert', { error: unknown, isStored: true });
    await until(() => finished.length === 1, 'the batch is finished');
    expect(rows()).toEqual(['a', 'c']);
    expect(sink.letters()).toHaveLength(1);
  });

  test('halts the table where no dead letters are kept, and it goes on once the rows are taken', async () => {
    let isStrict = true;
    sink = memorySink({ refuse: row => (isStrict && row.event_id.endsWith('!') ? 'no' : null) });
    const lane = start({ deadLetters: undefined });
    lane.add(batch('a', 'b!'));
    await until(() => lane.halted !== null, 'it is halted');
    expect(lane.halted).toBe('row 2: no');
    await until(() => sink.attempts().length > 2, 'it is repeated');
    expect([rows(), finished, sink.letters()]).toEqual([[], [], []]);
    isStrict = false;
    await until(() => finished.length === 1, 'the batch is finished');
    expect([rows(), lane.halted]).toEqual([['a', 'b!'], null]);
    expect(new Set(sink.attempts().map(({ token }) => token)).size).toBe(1);
  });

  test('of the rest, after the first dead letters, loses none of them', async () => {
    let isStricter = false;
    sink = memorySink({
      refuse: row => (row.event_id.endsWith('!') || (isStricter && row.event_id === 'b') ? 'no' : null),
    });
    const deadLetter = sink.deadLetter;
    const stricter: MemorySink = {
      ...sink,
      deadLetter: async (letters, signal) => {
        await deadLetter(letters, signal);
        isStricter = true;
      },
    };
    const lane = start({ sink: stricter, onFinished: async batches => void finished.push(...batches) });
    lane.add(batch('a!', 'b', 'c'));
    await until(() => finished.length === 1, 'the batch is finished');
    expect(rows()).toEqual(['c']);
    expect(
      sink
        .letters()
        .map(({ position, raw }) => [position - positions, JSON.parse(Buffer.from(raw).toString()).event_id]),
    ).toEqual([
      [0, 'a!'],
      [1, 'b'],
    ]);
  });

  test('that no record alone is to blame for halts the lane, dead-letters nothing and skips nothing', async () => {
    const refusal = new PipelineError('sink_refused');
    sink.failNext('insert', { error: refusal });
    sink.failNext('insert', { error: refusal });
    const lane = start();
    lane.add(batch('a', 'b'));
    await until(() => lane.halted !== null, 'it is halted');
    expect(lane.halted).toContain('none of them alone');
    await until(() => finished.length === 1, 'it has resumed');
    expect(rows()).toEqual(['a', 'b']);
    expect(sink.letters()).toEqual([]);
    expect(lane.halted).toBeNull();
  });
});

describe('stopping', () => {
  test('finishes the insert in flight and begins no other', async () => {
    const release = sink.hold('click');
    const lane = start();
    const [first, second] = [batch('a'), batch('b')];
    lane.add(first);
    await until(() => sink.inFlight() === 1, 'the insert is under way');
    lane.add(second);
    stopping.abort();
    release();
    await soon(lane.done, 'the lane to stop');
    expect(finished).toEqual([first]);
    expect(rows()).toEqual(['a']);
  });

  test('ends at once a lane that has nothing, waits for its interval or its turn, or waits to try again', async () => {
    const idle = start();
    const pace = paceOf({ intervalMs: 60_000, sparesMax: 0 });
    await pace.turn(stopping.signal);
    const next = start({ pace });
    next.add(batch('n'));
    const waiting = start({ intervalMs: 60_000, sparesMax: 0 });
    waiting.add(batch('a'));
    await until(() => finished.length === 1, 'the first is finished');
    waiting.add(batch('b'));
    await Bun.sleep(0);
    const other = memorySink();
    other.halt('click', broken);
    const retrying = start({ sink: other });
    retrying.add(batch('c'));
    await until(() => retrying.halted !== null, 'it is halted');
    stopping.abort();
    await soon(Promise.all([idle.done, next.done, waiting.done, retrying.done]), 'all of them to stop');
    expect(finished).toHaveLength(1);
    expect(other.rows('click').size).toBe(0);
  });

  test('gives up an insert that hangs, and does not call it finished', async () => {
    sink.hold('click');
    const lane = start();
    lane.add(batch('a'));
    await until(() => sink.inFlight() === 1, 'the insert is under way');
    stopping.abort();
    givingUp.abort();
    await soon(lane.done, 'the lane to stop');
    expect(finished).toEqual([]);
  });

  test('before anything has come starts nothing', async () => {
    stopping.abort();
    const lane = start();
    lane.add(batch('a'));
    await soon(lane.done, 'the lane to stop');
    expect(sink.attempts()).toEqual([]);
  });
});
