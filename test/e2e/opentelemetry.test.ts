// Traces and metrics of the compiled binary, told to a collector: one trace from the request to the insert, and nothing
// that a collector does, or does not do, is felt by a client.

import { describe, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { exampleClick } from '../support/events.ts';
import { freePorts } from '../support/free-ports.ts';
import { isWithoutKafka, makeTopics } from '../support/kafka.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { metric } from '../support/oracle.ts';
import { plain, startCollector, type TestCollector, type ToldSpan } from '../support/otlp-collector.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const click = () => ({ ...exampleClick, event_id: Bun.randomUUIDv7() });
const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

const start = (otlpUrl: string, ...flags: string[]): Promise<Ugc> =>
  startUgc({
    dataDir: temporaryFolder(),
    flags: ['--request-log=false', `--otlp-url=${otlpUrl}`, '--otlp-trace-share=0', ...flags],
  });

const post = (ugc: Ugc, headers: Record<string, string> = {}, body: unknown = click()): Promise<Response> =>
  fetch(`${ugc.url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const named = async ({ spans }: TestCollector, name: string): Promise<ToldSpan> =>
  eventually(() => spans.find(span => span.name === name), { what: `a span "${name}"` });

describe.skipIf(await isWithoutKafka())('through Kafka', () => {
  const own = kafkaInTest();

  test('a trace goes from the request to the insert', async () => {
    const collector = startCollector();
    const topic = own.newName();
    // With a leader of every partition: of a topic that is being made, one takes events sooner than the next.
    await makeTopics(own.admin, { topic: `${topic}.click`, numPartitions: 3 });
    const ugc = await start(
      collector.url,
      ...[`--kafka-brokers=${own.kafka.brokers}`, `--topic=${topic}.{event_type}`, `--kafka-group=${topic}`],
      '--ack-budget-ms=20000',
    );
    // What is not traced has no span, and is a row all the same.
    let posted = 1;
    await eventually(
      async () => {
        posted++;
        return ((await (await post(ugc)).json()) as { stored: string }).stored === 'kafka';
      },
      { what: 'Kafka, which has just begun' },
    );
    expect(await (await post(ugc, { traceparent })).json()).toMatchObject({ stored: 'kafka' });
    const [request, publish, insert] = await Promise.all(
      ['POST /v1/events', `send ${topic}.click`, 'insert click'].map(name => named(collector, name)),
    );
    expect([request, publish, insert].map(span => span?.traceId)).toEqual([traceId, traceId, traceId]);
    expect(request?.parentSpanId).toBe('b7ad6b7169203331');
    expect(publish?.parentSpanId).toBe(request!.spanId);
    expect(insert?.links).toEqual([{ traceId, spanId: publish!.spanId }]);
    expect(plain(publish!.attributes)).toMatchObject({ 'messaging.system': 'kafka', 'ugc.stored': 'kafka' });
    expect(insert!.parentSpanId).toBe(publish!.spanId);

    const rows = async () => (await ugc.query<{ n: number }>('SELECT toUInt32(count()) AS n FROM ugc.click'))[0]?.n;
    await eventually(async () => (await rows()) === posted, { what: 'all of them are rows' });
    expect(await ugc.stop()).toBe(0);
    expect(collector.spans).toHaveLength(3);
    await collector.close();
  });
});

test('spans and metrics are told as they are, the last of them at the stop', async () => {
  const collector = startCollector();
  const ugc = await start(
    `${collector.url}/`,
    ...['--role=ingest', '--otlp-trace-share=1', '--otlp-headers=authorization=Bearer%20secret,x-a=1'],
  );
  await post(ugc, {}, [click(), click(), { event_type: 'click' }]);
  await post(ugc, { traceparent: traceparent.replace(/01$/, '00') }); // its sender says no
  await post(ugc, { traceparent: 'nonsense' }); // as if there were none
  await fetch(`${ugc.url}/healthz/live`);
  expect(await ugc.stop()).toBe(0);

  const requests = collector.spans.filter(({ name }) => name === 'POST /v1/events');
  expect(requests).toHaveLength(2);
  expect(new Set(collector.spans.map(span => span.traceId)).size).toBe(2);
  expect(requests.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, undefined] as never);
  const [publish] = collector.spans.filter(({ name }) => name.startsWith('send'));
  expect(plain(publish!.attributes)).toMatchObject({ 'messaging.batch.message_count': '2', 'ugc.stored': 'disk' });
  expect(BigInt(publish!.endTimeUnixNano)).toBeGreaterThan(BigInt(publish!.startTimeUnixNano));
  expect(collector.resource()).toMatchObject({ 'service.name': 'ugc' });
  expect(Object.keys(collector.resource())).toEqual([
    'service.name',
    'service.version',
    'service.instance.id',
    'host.name',
  ]);
  for (const { headers } of collector.asked)
    expect([headers.get('authorization'), headers.get('x-a'), headers.get('content-type')]).toEqual([
      'Bearer secret',
      '1',
      'application/json',
    ]);

  const told = new Map(collector.metrics().map(one => [one.name, one]));
  const received = told.get('ugc_events_received_total')?.sum;
  expect(received?.isMonotonic).toBe(true);
  expect(received?.dataPoints.map(({ attributes, asDouble }) => [plain(attributes), asDouble])).toContainEqual([
    { event_type: 'click', outcome: 'accepted' },
    4,
  ]);
  expect(told.get('process_resident_memory_bytes')?.gauge?.dataPoints[0]?.asDouble).toBeGreaterThan(1_000_000);
  const answered = told
    .get('ugc_http_request_seconds')
    ?.histogram?.dataPoints.find(({ attributes }) => plain(attributes).route === '/v1/events');
  const sum = answered?.bucketCounts?.reduce((all, count) => all + Number(count), 0);
  expect(String(sum)).toBe(answered!.count!);
  await collector.close();
});

test('metrics come while it runs', async () => {
  const collector = startCollector();
  const ugc = await start(collector.url, '--role=ingest', '--otlp-metrics-seconds=1');
  await eventually(() => collector.asked.filter(({ path }) => path === '/v1/metrics').length >= 2, { what: 'two' });
  expect(collector.metrics().map(({ name }) => name)).toContain('ugc_buffer_events');
  expect(await ugc.stop()).toBe(0);
  await collector.close();
});

describe('a collector that', () => {
  const troubled = async (url: string, isTold: (ugc: Ugc) => boolean | Promise<boolean>): Promise<void> => {
    const ugc = await start(url, '--role=ingest', '--shutdown-timeout-ms=5000');
    for (let at = 0; at < 20; at++) expect((await post(ugc, { traceparent })).status).toBe(200);
    await eventually(() => isTold(ugc), { what: 'what is wrong' });
    expect((await fetch(`${ugc.url}/healthz/ready`)).status).toBe(200);
    expect(await ugc.stop()).toBe(0);
    expect(ugc.output()).not.toContain('stopped before everything was closed');
  };
  const says =
    (words: string) =>
    ({ output }: Ugc): boolean =>
      output().includes(words);

  test('is away holds nothing up', async () => {
    const [port] = await freePorts(1);
    await troubled(`http://127.0.0.1:${port}`, says('the collector does not take traces'));
  });

  test('hangs holds nothing up, nor the stop', async () => {
    const sockets: { destroy(): void }[] = [];
    const silent = createServer(socket => void sockets.push(socket));
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { readonly port: number };
    await troubled(`http://127.0.0.1:${port}`, () => sockets.length > 0);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('refuses for good is not asked again for the same; what it misses is counted', async () => {
    const collector = startCollector(() => new Response('<html>\u0000 what?', { status: 400 }));
    await troubled(collector.url, async ugc => (await metric(ugc.url, 'ugc_otlp_dropped_total')) >= 40);
    await collector.close();
  });

  test('is busy is asked again', async () => {
    const collector = startCollector(nth => (nth === 0 ? new Response('', { status: 503 }) : null));
    await troubled(collector.url, () => collector.spans.length >= 40);
    expect(collector.spans).toHaveLength(40);
    await collector.close();
  });

  test('answers garbage has taken what it says it has', async () => {
    const endless = () => new ReadableStream({ pull: out => out.enqueue(new Uint8Array(65_536).fill(123)) });
    const collector = startCollector(nth => new Response(nth % 2 === 0 ? endless() : '{"partialSuccess":', {}));
    await troubled(collector.url, async ugc => {
      return collector.asked.length > 0 && (await metric(ugc.url, 'ugc_otlp_dropped_total')) === 0;
    });
    await collector.close();
  });
});
