// Listeners on one port, one after another: who gets new connections, and when an older one ends.

import { expect, test } from 'bun:test';
import { generations, type Listener } from '../../../src/http/generations.ts';
import { until } from '../../support/until.ts';

interface Fake extends Listener {
  readonly name: number;
  state: 'taking' | 'retired' | 'ended' | 'stopped';
  /** What it was asked is answered. */
  over(): void;
}

function bench({ canSteer = true, drainMs = 1_000_000 }: { canSteer?: boolean; drainMs?: number } = {}) {
  const opened: Fake[] = [];
  /** As the kernel has them: the last takes the place of one that is closed. */
  const kernel: Fake[] = [];
  let fails = false;
  let steered: Fake | undefined;
  const close = (fake: Fake): void => {
    const at = kernel.indexOf(fake);
    const last = kernel.pop();
    if (last !== undefined && last !== fake) kernel[at] = last;
  };
  const open = (port: number): Listener => {
    if (fails) throw new Error('no more files');
    const over = Promise.withResolvers<void>();
    const fake: Fake = {
      name: opened.length,
      port: port === 0 ? 4_711 : port,
      state: 'taking',
      over: over.resolve,
      closeIdle: () => 1,
      retire: () => {
        fake.state = 'retired';
      },
      end: () => {
        fake.state = 'ended';
        close(fake);
        return over.promise;
      },
      stop: async () => {
        fake.state = 'stopped';
      },
    };
    opened.push(fake);
    kernel.push(fake);
    return fake;
  };
  const steer = (port: number, index: number): boolean => {
    expect(port).toBe(4_711);
    steered = kernel[index];
    return canSteer;
  };
  const port = generations({ open, port: 0, steer, drainMs });
  return {
    port,
    opened,
    states: () => opened.map(({ state }) => state),
    steeredTo: () => steered?.name,
    fail: (now: boolean) => {
      fails = now;
    },
  };
}

test('new connections go to the newest, those before drain and are over', async () => {
  const { port, opened, states, steeredTo } = bench({ drainMs: 1 });
  expect(port.port).toBe(4_711);
  port.renew();
  expect({ states: states(), steered: steeredTo() }).toEqual({ states: ['retired', 'taking'], steered: 1 });
  await until(() => opened[0]!.state === 'ended', 'the first to end');
  expect(port.closeIdle()).toBe(2); // one still answers
  opened[0]!.over();
  await until(() => port.closeIdle() === 1, 'the first to be over');
});

test('many in a row: the newest always gets them, and the oldest go before there are too many', () => {
  const { port, opened, states, steeredTo } = bench();
  for (let at = 1; at <= 40; at++) {
    port.renew();
    expect(steeredTo()).toBe(at);
    expect(states().filter(state => state === 'taking' || state === 'retired').length).toBeLessThan(7);
  }
  expect(opened.at(-1)!.state).toBe('taking');
});

test('where they cannot be steered the one before ends at once', () => {
  const { port, states } = bench({ canSteer: false });
  port.renew();
  expect(states()).toEqual(['ended', 'taking']);
});

test('a listener that cannot be opened leaves all as it was', () => {
  const { port, states, fail } = bench();
  fail(true);
  expect(() => port.renew()).toThrow('no more files');
  expect(states()).toEqual(['taking']);
  fail(false);
  port.renew();
  expect(states()).toEqual(['retired', 'taking']);
});

test('a stop is one of all, and nothing is opened afterwards', async () => {
  const { port, states, opened } = bench();
  port.renew();
  await port.stop();
  port.renew();
  expect(states()).toEqual(['stopped', 'stopped']);
  expect(opened).toHaveLength(2);
});
