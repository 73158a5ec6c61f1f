// Lines of requests in the compiled binary: all of them, a share, none; what failed and what was slow always has one.

import { expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

interface Line {
  readonly 'http.route'?: string;
  readonly 'http.response.status_code'?: number;
}

const linesOf = (ugc: Ugc): Line[] =>
  ugc
    .output()
    .split('\n')
    .filter(line => line.includes('"event.dataset":"ugc.request"'))
    .map(line => JSON.parse(line));

async function started(...flags: string[]): Promise<Ugc> {
  return startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest', ...flags] });
}

async function ask(ugc: Ugc, times: number): Promise<void> {
  for (let at = 0; at < times; at++) expect((await fetch(`${ugc.url}/healthz/live`)).status).toBe(200);
}

test.each([
  ['every request has a line', [], 40, 40],
  ['a share of them has', ['--request-log-share=0.5'], 1, 399],
  ['none has, of those that went well', ['--request-log-share=0'], 0, 0],
  ['every one that took so long has', ['--request-log-share=0', '--request-log-slow-ms=0'], 40, 40],
  ['nothing has where lines are off', ['--request-log=false', '--request-log-slow-ms=0'], 0, 0],
] as const)('%s', async (_, flags, least, most) => {
  const ugc = await started(...flags);
  await ask(ugc, most === 399 ? 400 : 40);
  expect(await ugc.stop()).toBe(0);
  const { length } = linesOf(ugc);
  expect(length).toBeGreaterThanOrEqual(least);
  expect(length).toBeLessThanOrEqual(most);
});

test('one that failed has a line whatever the share', async () => {
  const database = createServer(socket => socket.destroy());
  await new Promise<void>(resolve => database.listen(0, '127.0.0.1', resolve));
  const { port } = database.address() as { readonly port: number };
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [
      ...[
        '--role=content',
        '--request-log-share=0',
        `--database-url=postgres://u:p@127.0.0.1:${port}/d?sslmode=disable`,
      ],
      ...['--auth=jwt', `--jwt-secret=${'s'.repeat(40)}`],
    ],
  });
  await ask(ugc, 5);
  expect((await fetch(`${ugc.url}/v1/films/one`)).status).toBe(503);
  expect(await ugc.stop()).toBe(0);
  database.close();
  expect(linesOf(ugc).map(line => line['http.response.status_code'])).toEqual([503]);
});

test('a share that is none is refused in words', async () => {
  const wrong = await started('--request-log-share=2').catch(error => error);
  expect(String(wrong)).toContain('must be a number from 0 to 1');
});
