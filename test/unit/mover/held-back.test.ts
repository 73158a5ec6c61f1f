// Records of other versions before the mover: older ones are judged, newer ones wait for a newer ugc.

import { describe, expect, spyOn, test } from 'bun:test';
import { memorySink } from '../../../src/adapters/memory/sink.ts';
import type { Batch, JudgeForeign, PositionedBatch } from '../../../src/ports/source.ts';
import { acked, batchOf, listSource, type Records } from '../../support/list-source.ts';
import { bodies, body, expectNoneLeft, startMoving } from '../../support/moving.ts';
import { quietLogger, samplesOf, sharedMetrics } from '../../support/quiet.ts';
import { until } from '../../support/until.ts';

expectNoneLeft();

const types = new Map([
  ['click', 2],
  ['page_view', 1],
]);

/** Of `new…` nothing is known, `bad…` cannot be; everything else is upgraded. */
const judge: JudgeForeign = ({ value }) => {
  const { event_id: id } = JSON.parse(Buffer.from(value!).toString()) as { event_id: string };
  if (id.startsWith('new')) return { ok: false, reason: 'newer', detail: `${id} is newer` };
  if (id.startsWith('bad')) return { ok: false, reason: 'invalid', detail: 'bad' };
  return { ok: true, type: 'click', id, body: body(id, { upgraded: true }) };
};

const clicks = (version: number, prefix: string, count = 2): Records => ({
  topic: 'clicks',
  type: 'click',
  version,
  bodies: bodies(prefix, count),
});
const views: Records = { topic: 'views', type: 'page_view', version: 1, bodies: bodies('view', 2) };

/** What a mover says it waits for. */
const why = 'click of version 3 was written by a newer ugc, this one knows 2: upgrade this one';

test('a batch of an older version is judged record by record, one of the version there is is not', async () => {
  const { source, sink } = startMoving({ types, judge });
  source.add(clicks(1, 'old'));
  source.add(clicks(2, 'bad')); // the judge is not asked
  await until(() => source.committed.get('clicks/0') === 3, 'all is committed');
  expect([...sink.rows('click').values()].map(row => row.upgraded ?? false)).toEqual([true, true, false, false]);
  expect(sink.letters()).toEqual([]);
});

describe('a batch of a newer version', () => {
  test('is no row and no letter: it holds back its topic, aloud, and nothing else', async () => {
    const error = spyOn(quietLogger, 'error');
    const { source, sink, mover } = startMoving({ types, judge });
    source.add(clicks(2, 'before'));
    source.add(clicks(3, 'later'));
    await until(() => mover.halted().size > 0, 'it waits');
    source.add(clicks(2, 'after'));
    source.add(views);
    await until(() => source.committed.get('views/0') === 1, 'the other topic goes on');
    expect(source.committed.get('clicks/0')).toBe(1);
    expect([...sink.rows('click').keys()]).toEqual(['before0', 'before1']);
    expect(sink.letters()).toEqual([]);
    expect(mover.halted()).toEqual(new Map([['topic clicks', why]]));
    expect(mover.oldest().has('clicks')).toBe(true);
    expect(source.polls.at(-1)!.paused).toEqual(new Set(['clicks']));
    expect(error).toHaveBeenCalledWith({ topic: 'clicks', partition: 0, position: 2 }, `the topic waits: ${why}`);
    expect(await samplesOf(sharedMetrics, 'ugc_etl_waiting')).toMatchObject({ 'topic=clicks': 1 });
    error.mockRestore();
  });

  test('goes on where it stood when a newer mover reads the log', async () => {
    const log: PositionedBatch[] = [];
    const sink = memorySink();
    const old = startMoving({ types, judge, sink, source: listSource(log) });
    old.source.add(clicks(2, 'before'));
    old.source.add(clicks(3, 'later'));
    old.source.add(clicks(2, 'after'));
    await until(() => old.source.committed.get('clicks/0') === 1, 'what came before is committed');
    await old.mover.stop();
    const source = listSource(log, old.source.committed);
    startMoving({ types: new Map([['click', 3]]), judge, sink, source });
    await until(() => source.committed.get('clicks/0') === 5, 'all is committed');
    expect([...sink.rows('click').keys()].toSorted()).toEqual(
      ['before0', 'before1', 'later0', 'later1', 'after0', 'after1'].toSorted(),
    );
  });

  test('among records that were written otherwise holds them all, though the good are rows and the bad are letters', async () => {
    const { source, sink, mover } = startMoving({ types, judge });
    source.add({
      topic: 'clicks',
      type: null,
      bodies: [body('a'), body('bad'), body('new'), body('b'), body('newer')],
    });
    await until(() => sink.rows('click').size === 2 && sink.letters().length === 1, 'the others are stored');
    expect(mover.halted()).toEqual(new Map([['topic clicks', 'new is newer']]));
    await Bun.sleep(0);
    expect(source.commits).toEqual([]);
  });

  test('of a partition that others read meanwhile is forgotten, and the topic is read on', async () => {
    const lost = new Set<number>();
    /** Epochs that were asked about, in order. */
    const asked: number[] = [];
    const owns = ({ epoch }: Batch): boolean => {
      asked.push(epoch!);
      return !lost.has(epoch!);
    };
    const source = { ...listSource(), owns };
    const log = (records: Records, first: number, epoch: number, partition = 0) =>
      acked({ ...batchOf({ ...records, partition }, first), epoch });
    const unread = [log(clicks(3, 'later'), 0, 1), log(clicks(3, 'too'), 0, 2, 1)];
    const { poll } = source;
    source.poll = async (options, signal) => {
      const ready = options.paused.has('clicks') ? [] : unread.splice(0);
      return ready.length > 0 ? ready : poll(options, signal);
    };
    const { sink, mover } = startMoving({ types, judge, source });
    await until(() => mover.halted().size > 0, 'it waits');
    lost.add(1);
    unread.push(log(clicks(2, 'other'), 2, 3));
    await until(() => asked.lastIndexOf(2) > asked.indexOf(1), 'it has looked');
    expect(mover.halted().size).toBe(1); // the other still holds the topic
    lost.add(2);
    await until(() => sink.rows('click').size === 2, 'the topic is read on');
    expect(mover.halted().size).toBe(0);
    expect([...sink.rows('click').keys()]).toEqual(['other0', 'other1']);
    expect(await samplesOf(sharedMetrics, 'ugc_etl_waiting')).toMatchObject({ 'topic=clicks': 0 });
    // A log commits nothing of an ownership that has ended: the mover leaves that to it.
    expect(source.commits.filter(({ epoch }) => epoch === 3)).toHaveLength(1);
  });
});

describe('where no dead letters are kept', () => {
  test('a record that can be no row holds back its topic, though the good beside it are rows, and nothing else', async () => {
    const { source, sink, mover } = startMoving({ types, judge, deadLetters: undefined });
    source.add({ topic: 'clicks', type: null, bodies: [body('good'), body('bad')] });
    source.add({ topic: 'strange', type: 'nothing', bodies: bodies('n', 1) });
    source.add(views);
    await until(() => source.committed.get('views/0') === 1, 'the other topic goes on');
    await until(() => sink.rows('click').size === 1 && mover.halted().size === 2, 'the good one is in');
    expect(mover.halted()).toEqual(
      new Map([
        ['topic clicks', 'bad'],
        ['topic strange', 'no table for the event type nothing'],
      ]),
    );
    expect(source.commits.map(({ topic }) => topic)).toEqual(['views']);
    expect(sink.letters()).toEqual([]);
  });

  test('a batch of no records at all is passed', async () => {
    const { source } = startMoving({ types, judge, deadLetters: undefined });
    source.add({ topic: 'clicks', type: null, bodies: [] });
    source.add({ topic: 'clicks', type: null, bodies: [body('a')] });
    await until(() => source.committed.get('clicks/0') === 0, 'both are passed');
  });
});
