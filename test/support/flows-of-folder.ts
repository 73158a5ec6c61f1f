// Flows where wishes lie in the data folder, whatever broker is the log: paused and drained through a process that is killed and a
// broker that hangs, and every event is one row.

import { expect } from 'bun:test';
import { exampleClick } from './events.ts';
import { metric } from './oracle.ts';
import { eventually, type Ugc } from './ugc.ts';

export interface OfFolder {
  /** What an answer calls it: `pulsar`. */
  readonly broker: string;
  /** The same folder each time. */
  readonly start: () => Promise<Ugc>;
  /** With the settings of the instance. */
  readonly run: (...args: readonly string[]) => Promise<{ code: number; stdout: string; stderr: string }>;
  /** Connections stay, nothing answers; and again. */
  readonly hang: () => void;
  readonly goOn: () => void;
}

export async function flowsOfFolder({ broker, start, run, hang, goOn }: OfFolder): Promise<void> {
  let ugc = await start();
  const sent: string[] = [];
  const post = async (): Promise<string> => {
    const event = { ...exampleClick, event_id: crypto.randomUUID(), timestamp: new Date().toISOString() };
    const response = await ugc.post(event);
    expect(response.status).toBe(200);
    sent.push(event.event_id);
    return ((await response.json()) as { readonly stored: string }).stored;
  };
  /** Until one is stored there, and so many more, of which a busy broker may take some late. */
  const postTo = async (place: string, more: number): Promise<void> => {
    await eventually(async () => (await post()) === place, { what: `an event in ${place}` });
    await Promise.all(Array.from({ length: more }, post));
  };
  const buffered = () => metric(ugc.url, 'ugc_buffer_events');
  const rows = async (): Promise<readonly string[]> =>
    (await ugc.query<{ readonly id: string }>('SELECT toString(event_id) AS id FROM ugc.click')).map(({ id }) => id);
  const allAreRows = async (): Promise<void> => {
    await eventually(async () => (await rows()).length >= sent.length, { what: `${sent.length} rows` });
    expect((await rows()).toSorted()).toEqual(sent.toSorted());
  };
  const wish = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await run('flows', ...args, '--by=tester');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    return stderr;
  };
  const lineOf = async (flow: string) => {
    const { stdout } = await run('flows', 'ls', '--json', `--url=${ugc.url}`);
    return JSON.parse(stdout).flows.find((line: { readonly flow: string }) => line.flow === flow);
  };
  const paused = async (flow: string, value = 1): Promise<void> => {
    const sample = `ugc_flow_paused\\{flow="${flow}"\\}`;
    await eventually(async () => (await metric(ugc.url, sample)) === value, { what: `${flow} paused: ${value}` });
  };
  const killed = async (): Promise<void> => {
    ugc.kill('SIGKILL');
    await ugc.exited;
    ugc = await start();
  };

  await postTo(broker, 20);
  await allAreRows();
  const before = sent.length;
  await wish('pause', 'tables', '--why=ClickHouse is upgraded');
  await paused('tables');
  await postTo(broker, 50);
  const waiting = sent.length - before;
  const isLagging = async () => (await lineOf('tables'))?.lag_events >= waiting;
  await eventually(isLagging, { what: `${waiting} events that wait` });
  await killed();
  await paused('tables');
  await eventually(isLagging, { what: `${waiting} events that still wait` });
  expect(await rows()).toHaveLength(before);
  await wish('resume', 'tables');
  await allAreRows();

  await wish('pause', 'drain', '--why=the broker is to come up in peace');
  await paused('drain');
  hang();
  await postTo('disk', 10);
  goOn();
  await postTo(broker, 0);
  expect(await buffered()).toBeGreaterThan(0);
  await killed();
  await paused('drain');
  await postTo(broker, 0);
  const last = sent.at(-1)!;
  await eventually(async () => (await rows()).includes(last), { what: 'what came later is a row' });
  expect(await buffered()).toBeGreaterThan(0);
  expect((await rows()).length).toBeLessThan(sent.length);
  await wish('drain', 'drain', '--why=and now out with it');
  await eventually(async () => (await lineOf('drain'))?.moved_by[0]?.state === 'drained', { what: 'an empty buffer' });
  expect(await buffered()).toBe(0);
  await allAreRows();
  await wish('resume', 'drain');
  await paused('drain', 0);

  await postTo(broker, 30);
  expect(await wish('drain', 'tables', '--why=moving house', '--wait-seconds=60')).toContain(
    'nothing is left of tables',
  );
  await allAreRows();
  const drained = sent.length;
  await postTo(broker, 5);
  await eventually(async () => (await lineOf('tables'))?.lag_events >= sent.length - drained, {
    what: 'what came later',
  });
  expect(await lineOf('tables')).toMatchObject({ state: 'drained', by: 'tester', why: 'moving house' });
  expect(await rows()).toHaveLength(drained);
  await wish('resume', 'tables');
  await allAreRows();
  expect(await ugc.stop()).toBe(0);
}
