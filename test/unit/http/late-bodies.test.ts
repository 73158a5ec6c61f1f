// Bodies that come late, in pieces, or not at all, over a real port. Each waits for what the server waits for: at once.

import { afterAll, describe, expect, test } from 'bun:test';
import { click } from '../../support/edge.ts';
import { type EdgeServerOptions, startEdgeServer } from '../../support/edge-server.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { quietLogs } from '../../support/quiet.ts';
import { rawHttp } from '../../support/raw-http.ts';
import { soon, until } from '../../support/until.ts';

const text = JSON.stringify({ ...click, timestamp: new Date().toISOString() });

const started: ReturnType<typeof startEdgeServer>[] = [];
afterAll(() => Promise.all(started.map(server => server.stop())));

function start(options: EdgeServerOptions = {}) {
  const log = memoryLog();
  const logs = quietLogs();
  const server = startEdgeServer({ log, logs, ...options });
  started.push(server);
  const url = `http://127.0.0.1:${server.port}`;
  const post = (body: string) => fetch(`${url}/v1/events`, { method: 'POST', body });
  return { log, logs, url, post };
}

describe('a body that does not come as it should', () => {
  const chunked = ['POST /v1/events HTTP/1.1', 'host: test', 'transfer-encoding: chunked'];
  const chunk = (part: string) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`;

  test.concurrent('is taken in chunks', async () => {
    const { url, log } = start();
    const { received, send, drop } = await rawHttp(url, chunked, chunk(text.slice(0, 10)));
    send(chunk(text.slice(10)) + chunk(''));
    await until(() => received().includes('"accepted"'), 'the answer has come');
    expect(log.published).toHaveLength(1);
    drop();
  });

  test.concurrent.each([
    ['announced and half sent', ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 100'], '{'],
    ['announced and never sent', ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 100'], ''],
    [
      'long and half sent',
      ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 90000'],
      '[' + ' '.repeat(5_000),
    ],
    ['in chunks that stop', chunked, chunk('[')],
    ['in chunks that stop in the middle of one', chunked, '5\r\n['],
  ])('is 408 and the connection closed: %s', async (_, head, body) => {
    const { url, log, post } = start({ limits: { bodyTimeoutMs: 300 } });
    const { received, closed } = await rawHttp(url, head, body);
    await soon(closed, 'the connection to close');
    expect(received()).toStartWith('HTTP/1.1 408 ');
    expect(received().toLowerCase()).toContain('connection: close');
    expect(log.published).toEqual([]);
    expect((await post(text)).status).toBe(200);
  });

  test.concurrent('is 413 and the connection closed when more is announced than may come', async () => {
    const { url } = start();
    const { received, closed } = await rawHttp(
      url,
      ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 100000000'],
      '{',
    );
    await soon(closed, 'the connection to close');
    expect(received()).toStartWith('HTTP/1.1 413 ');
  });

  test.concurrent('is 413 when more comes in chunks than may', async () => {
    const { url } = start();
    const { received, closed } = await rawHttp(url, chunked, chunk(' '.repeat(60_000)) + chunk(' '.repeat(60_000)));
    await soon(closed, 'the connection to close');
    expect(received()).toStartWith('HTTP/1.1 413 ');
  });

  test.concurrent('leaves nothing behind when the client goes away', async () => {
    const { url, logs, log, post } = start();
    for (const head of [['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 100'], chunked]) {
      const { drop } = await rawHttp(url, head, head === chunked ? chunk('[') : '{');
      const before = logs.lines.length;
      drop();
      await until(() => logs.lines.length > before, 'the request has its line');
    }
    expect(log.published).toEqual([]);
    expect((await post(text)).status).toBe(200);
  });
});
