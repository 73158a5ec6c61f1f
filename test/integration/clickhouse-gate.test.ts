// The gate that the chaos of the etl trusts to aim its faults: each point of an insert's way, what it imposes and what it
// asks for, between a client and something that answers like ClickHouse.

import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:net';
import { type ClickhouseFront, clickhouseFront } from '../support/clickhouse-gate.ts';
import { until } from '../support/until.ts';

const rows = 'row\n'.repeat(1_000);

/** All that came, as it came; answers once a body is whole. */
let received: string[] = [];
let ended: boolean[] = [];
let server: Server;
let front: ClickhouseFront;

beforeAll(async () => {
  server = createServer(socket => {
    const at = received.push('') - 1;
    ended.push(false);
    socket.on('data', chunk => {
      received[at] += chunk.toString('latin1');
      if (received[at]!.endsWith(rows) || received[at]!.endsWith('SELECT 1'))
        socket.end(
          'HTTP/1.1 500 No\r\nx-clickhouse-exception-code: 60\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno',
        );
    });
    socket.on('close', () => {
      ended[at] = true;
    });
    socket.on('error', () => {});
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const target = (server.address() as { port: number }).port;
  front = await clickhouseFront({ target, password: 'right', random: Math.random });
});
beforeEach(() => {
  received = [];
  ended = [];
});
afterAll(async () => {
  await front.close();
  await new Promise(resolve => server.close(resolve));
});

const headers = (password = 'right') => ({ authorization: `Basic ${btoa(`default:${password}`)}` });

/** The status and body, or `cut`. */
async function insert(signal?: AbortSignal): Promise<string> {
  const url = `${front.url}/?query=${encodeURIComponent('INSERT INTO a.b_rows FORMAT JSONEachRow')}`;
  return asked(fetch(url, { method: 'POST', headers: headers(), body: rows, ...(signal && { signal }) }));
}
const select = (password?: string) =>
  asked(fetch(front.url, { method: 'POST', headers: headers(password), body: 'SELECT 1' }));
async function asked(answer: Promise<Response>): Promise<string> {
  try {
    const response = await answer;
    return `${response.status} ${(await response.text()).trim()}`;
  } catch {
    return 'cut';
  }
}

const whole = () => received.filter(text => text.endsWith(rows)).length;

test('without anything to hold, requests pass and answers come back as they are, codes counted', async () => {
  const before = front.gate.said.get('60') ?? 0;
  expect([await insert(), await select()]).toEqual(['500 no', '500 no']);
  expect(front.gate.said.get('60')).toBe(before + 2);
});

test('what is no insert is not caught, and whoever waits for one in vain is told', async () => {
  const catching = front.gate.catch('before', 300);
  expect(await select()).toBe('500 no');
  expect(await catching).toBeNull();
  expect(await insert()).toBe('500 no'); // nobody waits any more
});

test('before: not a byte of it is there; dropped it never is, passed it is whole', async () => {
  for (const way of ['drop', 'pass'] as const) {
    const catching = front.gate.catch('before', 5_000);
    const answer = insert();
    const caught = await catching;
    expect(received).toEqual([]);
    caught![way]();
    expect(await answer).toBe(way === 'drop' ? 'cut' : '500 no');
    expect(whole()).toBe(way === 'drop' ? 0 : 1);
  }
});

test('half: a part of its body is there and nothing more will be', async () => {
  const catching = front.gate.catch('half', 5_000);
  const answer = insert();
  const caught = await catching;
  await until(() => (received[0] ?? '').split('\r\n\r\n')[1]?.length === rows.length / 2, 'half of the body');
  expect(received[0]).toContain(`content-length: ${rows.length}\r\n`);
  caught!.drop();
  expect(await answer).toBe('cut');
  await until(() => ended[0] === true, 'the end of the connection');
  expect(whole()).toBe(0);
});

test('inside and after: all of it is there, and its answer gets no further when it is dropped', async () => {
  for (const point of ['inside', 'after'] as const) {
    received = [];
    const catching = front.gate.catch(point, 5_000);
    const answer = insert();
    const caught = await catching;
    if (point === 'after') expect(whole()).toBe(1);
    await until(() => whole() === 1, 'all of it');
    caught!.drop();
    expect(await answer).toBe('cut');
  }
});

test('a client that goes while it is held lets go of it', async () => {
  const leaving = new AbortController();
  const catching = front.gate.catch('before', 5_000);
  const answer = insert(leaving.signal);
  await catching;
  leaving.abort();
  expect(await answer).toBe('cut');
  expect(await insert()).toBe('500 no');
  expect(whole()).toBe(1);
});

test('imposed settings are on every request, or on inserts alone, until they are not', async () => {
  front.gate.impose({ readonly: '1' });
  await select();
  front.gate.impose({ max_memory_usage: '7' }, 'inserts');
  await Promise.all([select(), insert()]);
  front.gate.impose({});
  await insert();
  const urls = received.map(text => `${text.slice(0, text.indexOf(' HTTP'))} ${text.endsWith(rows)}`);
  expect(urls.filter(url => url.includes('readonly=1'))).toHaveLength(1);
  expect(urls.filter(url => url.includes('max_memory_usage=7'))).toEqual([expect.stringMatching(/ true$/)]);
});

test('another password is refused as ClickHouse refuses it, and nothing reaches it', async () => {
  expect(await select('wrong')).toMatch(/^403 Code: 516\. .*AUTHENTICATION_FAILED/);
  front.gate.askFor('another');
  expect(await insert()).toMatch(/^403 /);
  expect(received).toEqual([]);
  expect(await select('another')).toBe('500 no');
  front.gate.askFor('right');
  expect(await select()).toBe('500 no');
});

test('with nobody behind it, a connection is cut', async () => {
  const nobody = await clickhouseFront({ target: 1, password: 'right', random: Math.random });
  expect(await asked(fetch(nobody.url, { method: 'POST', headers: headers(), body: 'SELECT 1' }))).toBe('cut');
  await nobody.close();
});
