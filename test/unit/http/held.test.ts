import { afterAll, describe, expect, test } from 'bun:test';
import type { PipelineError } from '../../../src/errors.ts';
import { type Holder, heldOf } from '../../../src/http/held.ts';
import type { Server } from '../../../src/http/server.ts';
import { click } from '../../support/edge.ts';
import { startEdgeServer } from '../../support/edge-server.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { rawHttp } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

function holders() {
  const cut: string[] = [];
  return {
    cut,
    whole: (): Holder => ({ kept: 0, cut: null }),
    coming: (name: string): Holder => ({ kept: 0, cut: ({ code }: PipelineError) => void cut.push(`${name} ${code}`) }),
  };
}

describe('bodies', () => {
  test('are held up to a bound, and what is released makes room', () => {
    const { whole } = holders();
    const held = heldOf(100);
    const [one, other] = [whole(), whole()];
    held.hold(one, 60);
    expect(() => held.hold(other, 41)).toThrow('UGC_REQUESTS_BYTES_MAX');
    expect([held.bytes, other.kept]).toEqual([60, 0]);
    held.hold(other, 40);
    held.release(one);
    held.release(one);
    expect(held.bytes).toBe(40);
  });

  test('that are still coming make room, the oldest first, and no more of them than it takes', () => {
    const { cut, coming, whole } = holders();
    const held = heldOf(100);
    const [first, second, third] = [coming('first'), coming('second'), coming('third')];
    for (const each of [first, second, third]) held.hold(each, 30);
    held.hold(first, 5);
    held.hold(whole(), 25);
    expect([cut, held.bytes]).toEqual([['first overloaded'], 85]);
    held.release(first);
    expect(held.bytes).toBe(85);
    held.arrived(second);
    held.hold(whole(), 40);
    expect([cut, held.bytes]).toEqual([['first overloaded', 'third overloaded'], 95]);
    expect(() => held.hold(whole(), 40)).toThrow('worked on');
  });

  test('larger than the bound are taken one at a time', () => {
    const { coming, whole } = holders();
    const held = heldOf(100);
    const large = coming('large');
    held.hold(large, 80);
    held.hold(large, 80);
    held.arrived(large);
    expect(() => held.hold(whole(), 1)).toThrow('worked on');
    held.release(large);
    held.hold(whole(), 1);
    expect(held.bytes).toBe(1);
  });
});

describe('over the front', () => {
  const started: Server[] = [];
  afterAll(() => Promise.all(started.map(server => server.stop())));
  const event = { ...click, timestamp: new Date().toISOString() };
  const large = JSON.stringify([{ ...event, properties: { text: 'x'.repeat(900) } }]).padEnd(90_000);

  test('who stalls in a body makes room for who does not, and is told to come again', async () => {
    const log = memoryLog();
    const server = startEdgeServer({ log, requestsBytesMax: 150_000 });
    started.push(server);
    const url = `http://127.0.0.1:${server.port}`;
    const head = ['POST /v1/events HTTP/1.1', 'host: test', `content-length: ${large.length}`];
    const slow = await rawHttp(url, head, large.slice(0, 80_000));
    const post = (body: string) => fetch(`${url}/v1/events`, { method: 'POST', body });
    // Until the slow one has been counted there is room for both.
    await until(async () => {
      expect((await post(large)).status).toBe(200);
      return slow.received() !== '';
    }, 'an answer to who stalls');
    expect(slow.received()).toStartWith('HTTP/1.1 503 ');
    expect(slow.received()).toContain('urn:ugc:problem:overloaded');
    expect(slow.received().toLowerCase()).toContain('retry-after: 1');
    slow.drop();
    expect((await post(JSON.stringify(event))).status).toBe(200);
  });

  test('who comes while all are being worked on is told to come again, and then there is room', async () => {
    const log = memoryLog();
    const finish = log.hold();
    const server = startEdgeServer({ log, requestsBytesMax: 150_000 });
    started.push(server);
    const post = (body: string) => fetch(`http://127.0.0.1:${server.port}/v1/events`, { method: 'POST', body });
    const first = post(large);
    await until(() => log.waiting() === 1, 'the first to be worked on');
    const second = await post(large);
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1']);
    finish();
    expect((await first).status).toBe(200);
    expect((await post(large)).status).toBe(200);
  });
});
