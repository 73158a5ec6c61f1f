// A process that serves bodies of every sort, one of them cut off, stops, and then has to end by itself.

import { judgeOf } from '../../src/catalogue/judge.ts';
import { startServer } from '../../src/http/server.ts';
import { acceptOf } from '../../src/ingest/accept.ts';
import { click, judgeOptions, testApi } from './edge.ts';
import { memoryLog } from './memory-log.ts';
import { sharedMetrics as metrics, quietLogs } from './quiet.ts';
import { rawHttp } from './raw-http.ts';
import { until } from './until.ts';

const logs = quietLogs();
const server = startServer({
  host: '127.0.0.1',
  port: 0,
  adminPort: 0,
  accept: acceptOf({ judge: judgeOf(judgeOptions), log: memoryLog(), metrics }),
  limits: { bodyBytesMax: 100_000, bodyDecompressedBytesMax: 100_000, bodyEventsMax: 5, bodyTimeoutMs: 60_000 },
  api: () => testApi,
  graceMs: 1_000,
  health: () => ({ ready: true, detail: {} }),
  onScrape: async () => {},
  metrics,
  logs,
});
const url = `http://127.0.0.1:${server.port}`;
const text = JSON.stringify({ ...click, timestamp: Date.now() });

async function statusOf(body: Bun.BodyInit): Promise<number> {
  const response = await fetch(`${url}/v1/events`, { method: 'POST', body });
  await response.arrayBuffer();
  return response.status;
}

const whole = await statusOf(text);
const streamed = await statusOf(new Blob([text]).stream());
const endless = await statusOf(' '.repeat(200_000));
const { drop } = await rawHttp(url, ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 90000'], '[');
const before = logs.lines.length;
drop();
await until(() => logs.lines.length > before, 'the request that was cut off has its line');
await server.stop();
process.stdout.write(`${whole} ${streamed} ${endless} cut\n`);
