// A process that serves bodies of every sort, one of them cut off, stops, and then has to end by itself.

import { click } from './edge.ts';
import { startEdgeServer } from './edge-server.ts';
import { quietLogs } from './quiet.ts';
import { rawHttp } from './raw-http.ts';
import { until } from './until.ts';

const logs = quietLogs();
const server = startEdgeServer({ adminPort: 0, limits: { bodyDecompressedBytesMax: 100_000 }, logs });
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
