// The SDK of OpenTelemetry, as it was published, into the compiled binary: with its own batches, compression and retries,
// through a front that sheds, limits and loses answers, while ugc is killed and started again. Every record is exactly one
// row, and says what it said.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { type FlakyFront, flakyFront } from '../support/flaky-front.ts';
import { drained, metric } from '../support/oracle.ts';
import { logsRequest, record } from '../support/otlp-logs.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const dataDir = temporaryFolder();
const flags = ['--auth=keys', '--request-log=false'];
let ugc: Ugc;
let front: FlakyFront;
let key: string;
beforeAll(async () => {
  ugc = await startUgc({ dataDir, flags });
  front = flakyFront({ target: () => ugc.url });
  key = (await runUgc(['keys', 'add', 'collector', '--kind=secret', `--data-dir=${dataDir}`])).stdout.trim();
  await eventually(async () => (await post({})).status === 200, { what: 'the key counts' });
}, 180_000);
afterAll(async () => {
  await front.stop();
  expect(await ugc.stop()).toBe(0);
});

const post = (body: unknown): Promise<Response> =>
  fetch(`${ugc.url}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify(body),
  });

const lines = 60;

/** Lines of which each says the same three times, as a loop does. */
function loggingTo(exporter: OTLPLogExporter | ProtobufExporter, service: string): LoggerProvider {
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.instance.id': `${service}-1` }),
    processors: [
      new BatchLogRecordProcessor({
        exporter,
        maxExportBatchSize: 7,
        scheduledDelayMillis: 50,
        exportTimeoutMillis: 60_000,
      }),
    ],
  });
  const logger = provider.getLogger('the.scope', '1.2.3');
  const at = Date.now();
  for (let line = 0; line < lines; line++)
    logger.emit({
      severityNumber: 13,
      severityText: 'WARN',
      eventName: 'line.said',
      body: { line: Math.floor(line / 3), words: ['ä', '"'] },
      timestamp: [Math.floor(at / 1000), (at % 1000) * 1e6 + line],
      attributes: { line, text: 'ä\n\u0000', share: 0.25, isGood: true, list: ['a', 'b'] },
    });
  return provider;
}

test.each([
  ['json', OTLPLogExporter],
  ['protobuf', ProtobufExporter],
] as const)(
  'the SDK, in %s: each record is one row, though ugc is killed',
  async (encoding, Exporter) => {
    const { lost, through } = front.counts();
    const exporter = new Exporter({
      url: `${front.url}/v1/logs`,
      headers: { 'x-api-key': key },
      timeoutMillis: 60_000,
      compression: (encoding === 'json' ? 'none' : 'gzip') as never,
    });
    const provider = loggingTo(exporter, encoding);
    const sending = provider.forceFlush();
    await eventually(() => front.counts().through >= through + 2, { what: 'something came through' });
    ugc.kill('SIGKILL');
    await ugc.exited;
    ugc = await startUgc({ dataDir, flags });
    await sending;
    await provider.shutdown();
    // Without an answer that was lost nothing was sent twice.
    expect(front.counts().lost).toBeGreaterThan(lost);
    await drained(ugc);
    const rows = await ugc.query<Record<string, unknown>>(
      `SELECT * EXCEPT (event_id, received_at, ip, time_unix_nano, observed_at, timestamp), observed_at >= timestamp AS isLater,
      toString(time_unix_nano) AS nanos, toString(timestamp) AS moment
     FROM ugc.log WHERE service_name = '${encoding}' ORDER BY time_unix_nano`,
    );
    expect(rows).toHaveLength(lines);
    for (const [line, row] of rows.entries()) {
      expect(row).toMatchObject({
        source: 'collector',
        severity_number: 13,
        severity_text: 'WARN',
        event_name: 'line.said',
        body: `{"line":${Math.floor(line / 3)},"words":["ä","\\""]}`,
        service_instance_id: `${encoding}-1`,
        scope_name: 'the.scope',
        scope_version: '1.2.3',
        trace_id: '',
        dropped_attributes_count: 0,
      });
      expect(JSON.parse(String(row.attributes))).toEqual({
        line,
        text: 'ä\n\u0000',
        share: 0.25,
        isGood: true,
        list: ['a', 'b'],
      });
      expect(JSON.parse(String(row.resource_attributes))).toEqual({
        'service.name': encoding,
        'service.instance.id': `${encoding}-1`,
      });
      expect(String(row.nanos).slice(-4)).toBe(String(line).padStart(4, '0'));
    }
  },
  200_000,
);

test('a request that comes again, after a kill too, is no second row; lines alike in it are as many as they are', async () => {
  const line = record({ attributes: [{ key: 'test', value: { stringValue: 'again' } }] });
  const request = logsRequest([line, line, line], {
    resource: [{ key: 'service.name', value: { stringValue: 'again' } }],
  });
  expect(await (await post(request)).json()).toEqual({});
  ugc.kill('SIGKILL');
  await ugc.exited;
  ugc = await startUgc({ dataDir, flags });
  for (let time = 0; time < 3; time++) expect(await (await post(request)).json()).toEqual({});
  await drained(ugc);
  expect(await ugc.query("SELECT toInt32(count()) AS rows FROM ugc.log WHERE service_name = 'again'")).toEqual([
    { rows: 3 },
  ]);
}, 120_000);

test('as many as a collector sends that is told nothing are each one row, though ugc is killed in the midst of them', async () => {
  const count = 8_192;
  const request = logsRequest(
    Array.from({ length: count }, (_, at) => record({ at })),
    { resource: [{ key: 'service.name', value: { stringValue: 'many' } }] },
  );
  const taken = () => metric(ugc.url, 'ugc_events_received_total');
  const before = await taken();
  const answered = post(request).catch(() => 'cut');
  await eventually(async () => (await taken()) > before, { what: 'some of them are taken', pauseMs: 5 });
  ugc.kill('SIGKILL');
  await ugc.exited;
  await answered; // or not, where it was quicker than the kill
  ugc = await startUgc({ dataDir, flags });
  expect(await (await post(request)).json()).toEqual({});
  await drained(ugc);
  const [found] = await ugc.query(
    "SELECT toInt32(count()) AS rows, toInt32(uniqExact(event_id)) AS ids FROM ugc.log WHERE service_name = 'many'",
  );
  expect(found).toEqual({ rows: count, ids: count });
}, 120_000);
