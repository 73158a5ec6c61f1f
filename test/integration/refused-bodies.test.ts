// A request that is refused while its body is still on its way, by real clients: most send all of it before they look for
// an answer, and a connection that is closed meanwhile is a broken pipe to them, and a reason to try again for ever.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Server } from '../../src/http/server.ts';
import { startEdgeServer } from '../support/edge-server.ts';
import { quietLogs } from '../support/quiet.ts';
import { rawHttp } from '../support/raw-http.ts';
import { soon, until } from '../support/until.ts';

const limits = {
  bodyBytesMax: 2_097_152,
  bodyDecompressedBytesMax: 16_777_216,
  bodyEventsMax: 5_000,
  bodyTimeoutMs: 500,
};
const logs = quietLogs();
let server: Server;
let url: string;

beforeAll(() => {
  server = startEdgeServer({ limits, logs });
  url = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.stop());

const largeBytes = 30_000_000;

/** Where a body of that length is refused before it is read, and with what. */
const refusals = [
  ['too large', '/v1/events', 'application/json', 413],
  ['of an unknown type', '/v1/events', 'application/xml', 415],
  ['to a path that is none', '/v2/nothing', 'application/json', 404],
  ['to a path that takes no body', '/healthz/live', 'application/json', 405],
] as const;

/** Clients by the command that sends: each prints what it got. */
function clientOf(runtime: string, path: string, contentType: string): string[] {
  const send = `fetch(${JSON.stringify(url + path)}, { method: 'POST', body: Buffer.alloc(${largeBytes}, ' '), headers: { 'content-type': '${contentType}' } })
    .then(async response => { await response.text(); console.log(response.status); }, error => console.log(String(error), String(error.cause)))`;
  return [runtime, '-e', send];
}

async function outputOf(command: readonly string[], body?: Uint8Array): Promise<string> {
  const child = Bun.spawn([...command], { stdin: body ?? 'ignore', stdout: 'pipe', stderr: 'inherit' });
  const output = await soon(new Response(child.stdout).text(), `${command[0]} to be answered`).finally(() =>
    child.kill(),
  );
  return output.trim();
}

const commands = { python: Bun.which('python3'), node: Bun.which('node'), curl: Bun.which('curl') };
for (const [name, path] of Object.entries(commands))
  if (path === null) process.stderr.write(`NOT TESTED: ${name} as a client, since there is none here\n`);

describe.each(refusals)('a body %s is answered', (_, path, contentType, status) => {
  test.skipIf(commands.python === null)('to urllib, and to http.client with a length and in chunks', async () => {
    const script = join(import.meta.dir, '../support/refused.py');
    const said = await outputOf([commands.python!, script, `${server.port}`, path, contentType, `${largeBytes}`]);
    expect(said.split('\n')).toEqual([`with_urllib ${status}`, `with_http_client ${status}`, `in_chunks ${status}`]);
  });

  test.skipIf(commands.node === null)('to Node’s fetch', async () => {
    expect(await outputOf(clientOf(commands.node!, path, contentType))).toBe(`${status}`);
  });

  test('to Bun’s fetch', async () => {
    expect(await outputOf(clientOf(process.execPath, path, contentType))).toBe(`${status}`);
  });

  test.skipIf(commands.curl === null)('to curl, with a length and in chunks', async () => {
    for (const more of [[], ['-H', 'Expect:'], ['-H', 'Transfer-Encoding: chunked']]) {
      const common = ['-s', '-o', '/dev/null', '-w', '%{http_code} %{exitcode}', '-H', `Content-Type: ${contentType}`];
      const command = [commands.curl!, ...common, ...more, '--data-binary', '@-', url + path];
      expect(await outputOf(command, Buffer.alloc(largeBytes, ' '))).toBe(`${status} 0`);
    }
  });
});

test('the answer is there before the rest of the body', async () => {
  const head = ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 10000000'];
  const { received, send, closed } = await rawHttp(url, head, '[');
  await until(() => received().includes('too-large'), 'the answer has come');
  expect(received()).toStartWith('HTTP/1.1 413 ');
  expect(received().toLowerCase()).toContain('\r\nconnection: close\r\n');
  send(' '.repeat(1_000_000));
  await soon(closed, 'the connection to be closed once nothing more comes');
});

test('a body that stalls is answered 408, and what comes of it then resets nothing', async () => {
  const head = ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 200000'];
  const { received, send, closed } = await rawHttp(url, head, '[');
  await until(() => received().includes('body-timeout'), 'the answer has come');
  send(' '.repeat(199_999));
  await soon(closed, 'the connection to be closed');
  expect(received()).toStartWith('HTTP/1.1 408 ');
});

test('a small body that is refused unread leaves the connection as it is', async () => {
  const head = (path: string, more = '') => [`POST ${path} HTTP/1.1`, 'host: test', `content-length: 10${more}`];
  const { received, send, drop } = await rawHttp(url, head('/v2/nothing'), '[');
  await Bun.sleep(0);
  send(' '.repeat(9));
  await until(() => received().includes('not-found'), 'the answer has come');
  expect(received().toLowerCase()).not.toContain('connection: close');
  send(`${head('/v1/events', '\r\ncontent-type: application/xml').join('\r\n')}\r\n\r\n${' '.repeat(10)}`);
  await until(() => received().includes('unsupported-media-type'), 'the answer to the next has come');
  drop();
});
