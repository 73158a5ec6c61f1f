import { afterEach, describe, expect, test } from 'bun:test';
import { acceptedIn, type Connections, type Files, watchConnections } from '../../../src/http/connections.ts';
import { quietLogger } from '../../support/quiet.ts';
import { until } from '../../support/until.ts';

const watched: Connections[] = [];
afterEach(() => {
  for (const connections of watched.splice(0)) connections.stop();
});

/** A process of so many files, and how many it has open as the test says. */
function watch(filesMax: number, { open = 40, max = 0 }: { open?: number | null; max?: number } = {}) {
  let now: number | null = open;
  let closed = 0;
  let accepted = 0;
  const files: Files = { max: filesMax, open: () => now };
  const connections = watchConnections({
    max,
    ports: [],
    closeIdle: () => {
      closed++;
      return 0;
    },
    logger: quietLogger,
    files,
    count: async () => (now === null ? null : accepted),
  });
  watched.push(connections);
  return {
    connections,
    closed: () => closed,
    have: (files: number | null, connections = 0) => {
      now = files;
      accepted = connections;
    },
  };
}

describe('the bound', () => {
  test('is what the limit of open files leaves, without those kept for the rest', () => {
    expect(watch(1_024, { open: 40 }).connections.max).toBe(1_024 - 128 - 40);
    expect(watch(128, { open: 100 }).connections.max).toBe(12);
    expect(watch(1_000_000, { open: 100 }).connections.max).toBe(1_000_000 - 1_024 - 100);
  });

  test('is never none, nor more than that', () => {
    expect(watch(64, { open: 64 }).connections.max).toBe(1);
    expect(watch(1_024, { open: null }).connections.max).toBe(1_024 - 128);
    expect(watch(1_024, { max: 20 }).connections.max).toBe(20);
    expect(watch(1_024, { max: 5_000 }).connections.max).toBe(1_024 - 128 - 40);
  });

  test('is none where nothing can be counted', () => {
    const connections = watchConnections({
      max: 0,
      ports: [],
      closeIdle: () => 0,
      logger: quietLogger,
      files: null,
    });
    watched.push(connections);
    expect([connections.max, connections.isFull(), connections.problems()]).toEqual([null, false, {}]);
  });
});

test('with few files left idle connections are closed; with hardly any, or none to look with, it is full', async () => {
  const { connections, have, closed } = watch(1_024);
  const states: string[] = [];
  for (const [open, isCrowded, isFull] of [
    [40, false, false],
    [910, true, false],
    [970, true, true],
    [880, true, false], // still: between the two it does not flutter
    [40, false, false],
    [null, true, true],
    [40, false, false],
  ] as const) {
    have(open, Math.min((open ?? 0) - 40, open === 970 ? 930 : 800));
    await until(() => connections.isCrowded() === isCrowded && connections.isFull() === isFull, `${open} open files`);
    states.push(Object.values(connections.problems()).join());
  }
  expect(states.map(said => said.split(':')[0])).toEqual(['', 'crowded', 'full', 'crowded', '', 'full', '']);
  expect(states[2]).toBe('full: 930 connections of 856, 970 open files of 1024');
  expect(states[5]).toBe('full: 856 connections of 856, 1024 open files of 1024');
  expect(closed()).toBeGreaterThan(3);
});

test('files that others have are no reason to refuse anybody, and are told', async () => {
  const { connections, have, closed } = watch(128, { open: 100 });
  have(125, 3);
  await until(() => connections.problems().open_files !== undefined, 'few files are left');
  expect([connections.isCrowded(), connections.isFull(), closed()]).toEqual([false, false, 0]);
  expect(connections.problems()).toEqual({
    open_files: 'few are left (ulimit -n): 3 connections of 12, 125 open files of 128',
  });
});

test('connections are counted by the kernel’s table: accepted ones to the ports, and no others', () => {
  const line = (local: string, state: string, inode: string) =>
    `   0: ${local} 0100007F:A1B2 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 20 4 30 10 -1`;
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    line('0100007F:1F90', '01', '501'),
    line('00000000000000000000000001000000:1F90', '01', '502'),
    line('0100007F:1F91', '01', '503'),
    line('0100007F:1F90', '0A', '504'), // listening
    line('0100007F:1F90', '01', '0'), // not accepted yet
    line('0100007F:A1B2', '01', '505'), // a client's own end
    '',
  ].join('\n');
  expect([acceptedIn(table, [8080]), acceptedIn(table, [8080, 8081]), acceptedIn(table, [])]).toEqual([2, 3, 0]);
});
