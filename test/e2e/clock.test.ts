// The compiled binary on a machine whose clock is wrong, and set right or back while it runs.

import { afterAll, describe, expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { movedClock } from '../support/moved-clock.ts';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

afterAll(cleanUp);

const clock = movedClock();
const hour = 3_600;
/** A build that does not know when it was made cannot tell that a clock is from before. */
const knowsItsTime = (await runUgc(['--version'])).stdout.includes('built ');

const now = (): string => new Date().toISOString();
const event = (more: object = {}) => ({ ...exampleClick, timestamp: now(), ...more });
const start = (dataDir: string): Promise<Ugc> => startUgc({ dataDir, env: clock!.env });

const readiness = async ({ url }: Ugc) => {
  const response = await fetch(`${url}/healthz/ready`);
  const { detail } = (await response.json()) as { detail: Record<string, string> };
  return { status: response.status, clock: detail.clock };
};

describe.skipIf(clock === null || !knowsItsTime)('a clock from before the program was built', () => {
  test('takes no event, says so, and is forgotten once it is set', async () => {
    clock!.move(-Date.now() / 1_000 + 60); // a minute after 1970 began
    const ugc = await start(temporaryFolder());
    for (const given of [event(), [event(), event()], event({ sent_at: now() })]) {
      const response = await ugc.post(given);
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60']);
      expect(await response.json()).toMatchObject({ type: 'urn:ugc:problem:clock-wrong' });
    }
    expect(await readiness(ugc)).toEqual({ status: 503, clock: expect.stringContaining('1970-01-01') });
    clock!.move(0);
    expect((await ugc.post(event())).status).toBe(200);
    expect(await readiness(ugc)).toEqual({ status: 200, clock: undefined });
    await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click')).length === 1, { what: 'the row' });
    expect(await ugc.stop()).toBe(0);
  });
});

describe.skipIf(clock === null)('a clock that is set back', () => {
  test('lets no repetition win over the first, in the same process and in the next', async () => {
    const [dataDir, id] = [temporaryFolder(), Bun.randomUUIDv7()];
    const said = async (ugc: Ugc, element: string) =>
      expect((await ugc.post(event({ event_id: id, element }))).status).toBe(200);
    const other = async (ugc: Ugc) => {
      const marker = Bun.randomUUIDv7();
      await ugc.post(event({ event_id: marker, element: 'marker' }));
      const read = () => ugc.query(`SELECT 1 FROM ugc.click WHERE event_id = '${marker}'`);
      await eventually(async () => (await read()).length === 1, { what: 'what came behind it is a row' });
    };
    clock!.move(hour);
    const first = await start(dataDir);
    await said(first, 'first');
    clock!.move(0);
    await said(first, 'second');
    await other(first);
    expect(await first.stop()).toBe(0);
    const next = await start(dataDir);
    await said(next, 'third');
    await other(next);
    expect(await next.query(`SELECT element FROM ugc.click WHERE event_id = '${id}'`)).toEqual([{ element: 'first' }]);
    expect(await next.stop()).toBe(0);
  });
});
