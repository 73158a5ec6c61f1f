// Metrics of the compiled binary at an OpenTelemetry collector, and no harm from one that is away, hangs or refuses.

import { expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { eventually, startUgc, temporaryFolder } from '../support/ugc.ts';

interface Message {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue: string } }[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { dataPoints: readonly { asDouble: number }[] };
      }[];
    }[];
  }[];
}

/** Of the newest message: what a counter is at, over all its labels. */
const countOf = (message: Message | undefined, name: string): number =>
  message?.resourceMetrics[0]?.scopeMetrics[0]?.metrics
    .find(metric => metric.name === name)
    ?.sum?.dataPoints.reduce((sum, { asDouble }) => sum + asDouble, 0) ?? 0;

const event = () => ({ ...exampleClick, timestamp: new Date().toISOString() });

test('a collector is told, each interval and at the end, with the headers it wants; while it is away nothing is held up', async () => {
  const messages: Message[] = [];
  let answer: 'takes' | 'refuses' | 'hangs' = 'refuses';
  const strange: string[] = [];
  const collector = Bun.serve({
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname !== '/base/v1/metrics' || request.headers.get('x-team') !== 'a=b') strange.push(pathname);
      const message = (await request.json()) as Message;
      if (answer === 'hangs') return new Promise<Response>(() => {});
      if (answer === 'refuses') return new Response('no room', { status: 503 });
      messages.push(message);
      return Response.json({});
    },
  });
  const flags = ['--role=ingest', `--otlp-url=http://localhost:${collector.port}/base/`, '--otlp-interval-ms=1000'];
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags, env: { UGC_OTLP_HEADERS: 'x-team=a=b,x-other=c' } });
  await eventually(() => ugc.output().includes('503 no room'), { what: 'it is said that they are not taken' });
  expect((await ugc.post(event())).status).toBe(200);
  answer = 'takes';
  await eventually(() => countOf(messages.at(-1), 'ugc_events_stored_total') === 1, { what: 'one event is told' });
  expect(ugc.output()).toContain('takes metrics again');
  expect(ugc.output().match(/503 no room/g)).toHaveLength(1);
  const { attributes } = messages[0]!.resourceMetrics[0]!.resource;
  expect(attributes.map(({ key }) => key)).toEqual([
    'service.name',
    'service.version',
    'service.instance.id',
    'host.name',
  ]);

  expect((await ugc.post(event())).status).toBe(200);
  expect(await ugc.stop()).toBe(0);
  expect(countOf(messages.at(-1), 'ugc_events_stored_total')).toBe(2); // the last word
  expect(strange).toEqual([]);

  answer = 'hangs';
  const other = await startUgc({ dataDir: temporaryFolder(), flags, env: { UGC_OTLP_HEADERS: 'x-team=a=b' } });
  expect((await other.post(event())).status).toBe(200);
  expect(await other.stop()).toBe(0);
  collector.stop(true);
});
