// A role is one file and one line in the list: here one made up for the purpose, opened beside a real one by the server's
// own start, closed by its own stop.

import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config/read.ts';
import { json } from '../../src/http/answer.ts';
import { ingest } from '../../src/roles/ingest.ts';
import type { RoleDefinition } from '../../src/roles/role.ts';
import { closeAll, start } from '../../src/serve.ts';
import { quietLogs } from '../support/quiet.ts';

test('a role that is added brings its route, its problem, its metric, its readiness, and is closed in order', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ugc-roles-'));
  const said: string[] = [];
  let canWork = true;
  const toy: RoleDefinition = {
    name: 'toy',
    writes: false,
    async open({ metrics }) {
      said.push('toy opened');
      return {
        routes: [
          { method: 'PUT', path: '/v1/toys/:toy', handler: ({ params }) => json(201, `{"toy":"${params.toy}"}`) },
        ],
        api: () => ({
          tags: [{ name: 'toys', description: 'To play with' }],
          paths: {
            '/v1/toys/{toy}': { put: { operationId: 'putToy', tags: ['toys'], summary: 'A toy', responses: {} } },
          },
        }),
        isReady: () => canWork,
        problems: () => ({ toy: 'its wheel has come off' }),
        scrape: async () => metrics.bufferOldest.set(4_711),
        finish: () => said.push('toy finished'),
        close: async () => {
          said.push('toy closed');
        },
      };
    },
  };
  const watched: RoleDefinition = {
    ...ingest,
    async open(parts) {
      const role = await ingest.open(parts);
      return {
        ...role,
        close: async () => {
          said.push('ingest closed');
          await role.close();
        },
      };
    },
  };
  const read = readConfig({ flags: [`--data-dir=${dataDir}`, '--port=0'], env: {} });
  if (!read.ok) throw new Error(read.problems.join('; '));
  const opened: { close(): Promise<void> }[] = [];
  const logs = quietLogs();
  const { server } = await start({ config: read.config, version: '0.0.0', roles: [watched, toy], logs, opened });
  try {
    const url = `http://127.0.0.1:${server.port}`;
    const put = await fetch(`${url}/v1/toys/car`, { method: 'PUT' });
    expect([put.status, await put.json()]).toEqual([201, { toy: 'car' }]);
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(paths)).toContain('/v1/toys/{toy}');
    const ready = async () => {
      const response = await fetch(`${url}/healthz/ready`);
      return [response.status, ((await response.json()) as { detail: object }).detail];
    };
    expect(await ready()).toEqual([200, { toy: 'its wheel has come off' }]);
    canWork = false;
    expect(await ready()).toEqual([503, { toy: 'its wheel has come off' }]);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('ugc_buffer_oldest_seconds 4711\n');
    expect(await (await fetch(url)).text()).toContain('PUT    /v1/toys/{toy}');
  } finally {
    await closeAll(opened, logs);
    rmSync(dataDir, { recursive: true });
  }
  expect(said).toEqual(['toy opened', 'toy finished', 'toy closed', 'ingest closed']);
});

test.each([
  [undefined, 401],
  [true, 403],
] as const)(
  'where no keys are read (hasNoCallers %p) a route that needs something lets nobody in: %d',
  async (hasNoCallers, status) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'ugc-roles-'));
    const route = { method: 'GET', path: '/v1/toys', needs: 'admin', handler: () => json(200, '{}') } as const;
    const toy: RoleDefinition = {
      name: 'toy',
      writes: false,
      ...(hasNoCallers && { hasNoCallers }),
      open: async () => ({ routes: [route], close: async () => {} }),
    };
    const read = readConfig({ flags: [`--data-dir=${dataDir}`, '--port=0', '--auth=keys'], env: {} });
    if (!read.ok) throw new Error(read.problems.join('; '));
    const opened: { close(): Promise<void> }[] = [];
    const logs = quietLogs();
    const { server } = await start({ config: read.config, version: '0.0.0', roles: [toy], logs, opened });
    try {
      expect((await fetch(`http://127.0.0.1:${server.port}/v1/toys`)).status).toBe(status);
    } finally {
      await closeAll(opened, logs);
      rmSync(dataDir, { recursive: true });
    }
  },
);
