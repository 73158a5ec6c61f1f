// The mover against a world that fails at random. Whatever fails, however often: positions are never ahead of the sink,
// and in the end every record is a row or a dead letter, never both, never neither. UGC_TEST_SEED repeats a world.

import { expect, test } from 'bun:test';
import { type MemorySink, memorySink, type SinkCall } from '../../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { PositionedBatch } from '../../../src/ports/source.ts';
import { keyOf, type ListSource, listSource, type Records, versionOne } from '../../support/list-source.ts';
import { body, expectNoneLeft, type Moving, startMoving, stopped } from '../../support/moving.ts';
import { type Random, randomOf } from '../../support/random.ts';
import { until } from '../../support/until.ts';

expectNoneLeft();

type Step =
  | { readonly do: 'add'; readonly records: Records }
  | { readonly do: 'fail'; readonly call: SinkCall; readonly error: PipelineError; readonly isStored: boolean }
  | { readonly do: 'halt' | 'resume'; readonly type: string }
  | { readonly do: 'kill' }
  | { readonly do: 'turns'; readonly count: number };

const types = ['click', 'page_view'];
const worlds = 40;
const failuresMax = 4;

function planOf(random: Random, world: number): Step[] {
  let failures = 0;
  let records = 0;
  const addition = (): Step => {
    const topic = random.pick(['click', 'page_view', 'mixed']);
    const type = topic === 'mixed' ? random.pick([...types, ...types, ...types, 'nothing', null]) : topic;
    const bodies = Array.from({ length: random.between(1, 6) }, () =>
      body(`w${world}-${records++}`, random.next() < 0.1 ? { isPoison: true } : {}),
    );
    return { do: 'add', records: { topic, partition: random.between(0, 1), type, bodies } };
  };
  const failure = (): Step => {
    failures++;
    const call = random.pick<SinkCall>(['insert', 'insert', 'insert', 'check', 'deadLetter']);
    const codes = ['sink_unknown', 'sink_overloaded', 'sink_halted'] as const;
    const error = new PipelineError(call === 'insert' ? random.pick([...codes, 'sink_refused']) : random.pick(codes));
    return { do: 'fail', call, error, isStored: error.code === 'sink_unknown' && random.next() < 0.5 };
  };
  return Array.from({ length: random.between(20, 40) }, (): Step => {
    const roll = random.next();
    if (roll < 0.5) return addition();
    if (roll < 0.65) return failures < failuresMax ? failure() : addition();
    if (roll < 0.72) return { do: random.pick(['halt', 'resume']), type: random.pick(types) };
    if (roll < 0.8) return { do: 'kill' };
    return { do: 'turns', count: random.between(1, 30) };
  });
}

interface World {
  readonly sink: MemorySink;
  readonly log: PositionedBatch[];
  moving: Moving;
}

function begin(log: PositionedBatch[], sink: MemorySink, from?: ReadonlyMap<string, number>): Moving {
  const source = listSource(log, from);
  source.onCommit = position => expect(unsafe({ log, sink }, position)).toEqual([]);
  return startMoving({ source, sink, types: versionOne(...types), blockRowsMax: 8, blockBytesMax: 400, graceMs: 0 });
}

interface Known {
  readonly type: string | null;
  readonly id: string;
  readonly isPoison: boolean;
  readonly place: string;
}

const recordsOf = (batch: PositionedBatch): Known[] =>
  batch.ndjson
    .toString()
    .trimEnd()
    .split('\n')
    .map((line, index) => {
      const { event_id: id, isPoison = false } = JSON.parse(line) as { event_id: string; isPoison?: boolean };
      return { type: batch.type, id, isPoison, place: `${keyOf(batch)}/${batch.first + index}/0` };
    });

const placesOf = (sink: MemorySink): Set<string> =>
  new Set(sink.letters().map(({ topic, partition, position, index }) => `${topic}/${partition}/${position}/${index}`));

/** Records up to a position that are neither rows nor dead letters. */
function unsafe({ log, sink }: Pick<World, 'log' | 'sink'>, position: ListSource['commits'][number]): string[] {
  const places = placesOf(sink);
  return log
    .filter(batch => keyOf(batch) === keyOf(position) && batch.first <= position.last)
    .flatMap(recordsOf)
    .filter(({ type, id, place }) => !(type !== null && sink.rows(type).has(id)) && !places.has(place))
    .map(({ id }) => id);
}

async function run(world: World, steps: readonly Step[]): Promise<void> {
  const { sink, log } = world;
  for (const step of steps) {
    if (step.do === 'add') world.moving.source.add(step.records);
    if (step.do === 'fail') sink.failNext(step.call, step);
    if (step.do === 'halt') sink.halt(step.type, new PipelineError('sink_halted'));
    if (step.do === 'resume') sink.resume(step.type);
    if (step.do === 'turns') for (let turn = 0; turn < step.count; turn++) await Bun.sleep(0);
    if (step.do === 'kill') {
      await stopped(world.moving);
      world.moving = begin(log, sink, world.moving.source.committed);
    }
  }
  for (const type of types) sink.resume(type);
  const isDone = (batch: PositionedBatch) => (world.moving.source.committed.get(keyOf(batch)) ?? -1) >= batch.last;
  const done = until(() => log.every(isDone), 'every record is committed');
  await Promise.race([done, world.moving.mover.done]); // a broken one says why
  await done;
}

test('whatever fails, each record ends as a row or a dead letter, and no position is ever ahead of the sink', async () => {
  const random = randomOf('mover model');
  const plans = Array.from({ length: worlds }, (_, world) => planOf(random, world));
  await Promise.all(
    plans.map(async (steps, at) => {
      const sink = memorySink({ refuse: row => (row.isPoison === true ? 'poison' : null) });
      const log: PositionedBatch[] = [];
      const world: World = { sink, log, moving: begin(log, sink) };
      await run(world, steps).catch(error => {
        throw new Error(`world ${at} of seed ${random.seed}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      });

      const dead = placesOf(sink);
      const known = log.flatMap(recordsOf);
      const wrong = known.filter(({ type, id, isPoison, place }) => {
        const isRow = type !== null && sink.rows(type).has(id);
        const shouldBeRow = type !== null && types.includes(type) && !isPoison;
        return isRow !== shouldBeRow || dead.has(place) === shouldBeRow;
      });
      expect({ world: at, wrong }).toEqual({ world: at, wrong: [] });
      const rows = types.reduce((sum, type) => sum + sink.rows(type).size, 0);
      expect({ world: at, stored: rows + sink.letters().length }).toEqual({ world: at, stored: known.length });
    }),
  );
});
