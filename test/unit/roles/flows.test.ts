// What operators wish of flows, as their movers ask for it: gates, draining, words and figures.

import { afterEach, expect, test } from 'bun:test';
import { memoryFlowControl, memoryWishes } from '../../../src/adapters/memory/flow-control.ts';
import type { FlowControl, FlowState, GateOptions } from '../../../src/ports/flow-control.ts';
import { openFlows } from '../../../src/roles/flows.ts';
import { quietLogger, samplesOf, sharedMetrics } from '../../support/quiet.ts';
import { until } from '../../support/until.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of closing.splice(0)) await each.close();
});

const startMs = Date.parse('2026-11-29T01:00:00.000Z');
let moment = startMs;
const why = 'a test';

function opened(control: FlowControl = memoryFlowControl()) {
  const flows = openFlows({
    control,
    topicOf: type => (type === 'gone' ? null : `ugc.${type}`),
    logger: quietLogger,
    metrics: sharedMetrics,
    lookEveryMs: 1,
  });
  closing.push(flows);
  const wish = async (flow: string, state: FlowState): Promise<string> => {
    const at = new Date(moment++).toISOString();
    await control.wish({ flow, state, by: 'ann', at, why });
    return at;
  };
  return { flows, control, wish };
}

const topics = ['ugc.click', 'ugc.page_view'];
const tables = (left: Readonly<Record<string, number>> = {}): GateOptions => ({
  flow: 'tables',
  topics: () => topics,
  left: async () => new Map(Object.entries(left)),
});

/** Nothing is known before `tell`. */
function unknownAtFirst() {
  const kept = memoryFlowControl();
  let isKnown = false;
  let listener = (): void => {};
  const control: FlowControl = {
    ...kept,
    wishes: () => (isKnown ? kept.wishes() : null),
    watch: given => {
      listener = given;
    },
  };
  const tell = (): void => {
    isKnown = true;
    listener();
  };
  return { control, tell };
}

test('a gate is open, is shut by a pause, and is opened by the next wish; who watches is told each time', async () => {
  const { flows, wish } = opened();
  const gate = flows.gate(tables());
  const seen: boolean[] = [];
  const unwatch = gate.watch(() => seen.push(gate.isShut));
  expect([gate.isShut, [...gate.topics()]]).toEqual([false, []]);
  await wish('tables', 'paused');
  expect([gate.isShut, [...gate.topics()]]).toEqual([true, topics]);
  await wish('archive', 'paused');
  await wish('tables', 'running');
  expect([gate.isShut, [...gate.topics()]]).toEqual([false, []]);
  unwatch();
  await wish('tables', 'paused');
  expect(seen).toEqual([true, true, false]);
});

test('what is not known yet is shut, and opens once it is known', () => {
  const { control, tell } = unknownAtFirst();
  const gate = opened(control).flows.gate(tables());
  expect([gate.isShut, [...gate.topics()]]).toEqual([true, topics]);
  tell();
  expect([gate.isShut, [...gate.topics()]]).toEqual([false, []]);
});

test('the outbox alone is open before anything is known: its events go to the disk meanwhile', async () => {
  const { control, tell } = unknownAtFirst();
  const { flows } = opened(control);
  const gate = flows.gate({ flow: 'content', left: async () => new Map() });
  expect([gate.isShut, [...gate.topics()]]).toEqual([false, []]);
  tell();
  expect(gate.isShut).toBe(false);
});

test('one event type alone: its topic is not read, and of a type that is not known nothing is shut', async () => {
  const { flows, wish } = opened();
  const gate = flows.gate(tables());
  await wish('tables:click', 'paused');
  await wish('tables:gone', 'paused');
  await wish('archive:page_view', 'paused');
  expect([gate.isShut, [...gate.topics()]]).toEqual([false, ['ugc.click']]);
  await wish('tables', 'draining');
  expect([gate.isDraining('ugc.click'), gate.isDraining('ugc.page_view')]).toEqual([true, true]);
  await wish('tables', 'running');
  await wish('tables:click', 'draining');
  expect([gate.isDraining('ugc.click'), gate.isDraining('ugc.page_view')]).toEqual([true, false]);
});

test('what is draining is paused for all once nothing is left here and nowhere, and not before', async () => {
  const kept = memoryWishes();
  const left: Record<string, number> = { 'ugc.click': 2 };
  let elsewhere: Map<string, number> | null = null;
  let asked = 0;
  const here = opened(memoryFlowControl(kept));
  const there = memoryFlowControl(kept);
  const gate = here.flows.gate({
    ...tables(),
    left: async () => new Map(Object.entries(left)),
    leftAnywhere: async () => {
      asked++;
      if (elsewhere === null) throw new Error('away');
      return elsewhere;
    },
  });
  await here.wish('tables', 'draining');
  const looks = async (count: number): Promise<void> => {
    const from = asked;
    await until(() => asked >= from + count, 'it is looked again');
  };
  expect(gate.isShut).toBe(false);
  left['ugc.click'] = 0;
  await looks(3); // and elsewhere it is not known
  elsewhere = new Map([
    ['ugc.page_view', 0],
    ['ugc.of_another_stream', 7], // that another process moves
  ]);
  await looks(3);
  expect([gate.isShut, there.wishes()?.get('tables')?.isDrained]).toEqual([false, false]);
  elsewhere = new Map([['ugc.of_another_stream', 0]]);
  await until(() => gate.isShut, 'drained');
  expect(there.wishes()?.get('tables')).toMatchObject({ state: 'paused', isDrained: true });
  expect(here.flows.problems()['flow tables']).toStartWith('drained and paused since 2026-11-29T');
  await here.wish('tables', 'running');
  expect(gate.isShut).toBe(false);
});

test('of a type that is not known here nobody here says that nothing is left', async () => {
  const { flows, control, wish } = opened();
  const gate = flows.gate(tables());
  await wish('tables:gone', 'draining');
  await wish('tables:click', 'draining');
  await until(() => gate.topics().has('ugc.click'), 'the other is drained');
  expect(control.wishes()?.get('tables:gone')).toMatchObject({ state: 'draining', isDrained: false });
});

test('the buffer of this process is drained for itself, and again after the next wish', async () => {
  const kept = memoryWishes();
  let events = 1;
  const { flows, wish } = opened(memoryFlowControl(kept));
  const there = memoryFlowControl(kept);
  const gate = flows.gate({ flow: 'drain', left: async () => new Map([['drain', events]]) });
  await wish('drain', 'draining');
  expect(gate.isShut).toBe(false);
  events = 0;
  await until(() => gate.isShut, 'drained');
  expect(there.wishes()?.get('drain')?.state).toBe('draining');
  expect(flows.here()).toMatchObject([{ flow: 'drain', state: 'paused', isDrained: true }]);
  events = 5;
  await wish('drain', 'draining');
  expect(gate.isShut).toBe(false);
});

test('of what waits while it is paused the age counts from the pause on, or from what is older', async () => {
  const { flows, wish } = opened();
  const gate = flows.gate(tables({ 'ugc.click': 3 }));
  const none = new Map<string, number>();
  expect(gate.withWaiting(none)).toBe(none);
  const at = Date.parse(await wish('tables', 'paused'));
  await until(() => gate.withWaiting(none).size > 0, 'what waits is known');
  expect([...gate.withWaiting(none)]).toEqual([['ugc.click', at]]);
  const older = new Map([
    ['ugc.click', 5],
    ['ugc.page_view', 7],
  ]);
  expect(gate.withWaiting(older)).toEqual(older);
  // A backlog of before the pause: what follows the last record read was taken then.
  expect([...gate.withWaiting(none, new Map([['ugc.click', 9]]))]).toEqual([['ugc.click', 9]]);
  expect([...gate.withWaiting(none, new Map([['ugc.click', at + 9]]))]).toEqual([['ugc.click', at]]);
});

test('metrics and words tell what is paused, of the flows of this process alone', async () => {
  const { flows, wish } = opened();
  flows.gate(tables());
  await wish('tables:click', 'paused');
  await wish('content', 'paused');
  expect(await samplesOf(sharedMetrics as never, 'ugc_flow_paused')).toEqual({
    'flow=tables': 0,
    'flow=tables:click': 1,
  });
  expect(Object.keys(flows.problems())).toEqual(['flow tables:click']);
  expect(flows.problems()['flow tables:click']).toMatch(
    /^paused since \S+ by ann: a test; .* ugc flows resume tables:click$/,
  );
  await wish('tables:click', 'running');
  expect(flows.problems()).toEqual({});
});

test('a wish that cannot be kept is tried again', async () => {
  const kept = memoryFlowControl();
  let refusals = 3;
  const control: FlowControl = {
    ...kept,
    drained: async record => {
      if (refusals-- > 0) throw new Error('no');
      await kept.drained(record);
    },
  };
  const { flows, wish } = opened(control);
  const gate = flows.gate(tables());
  await wish('tables', 'draining');
  await until(() => gate.isShut, 'drained');
  expect(refusals).toBeLessThan(0);
});
