// Kafka killed, hung and back again, under load: what clients notice, and how fast the disk buffer empties while live
// events go on. One broker of our own, so it may be hurt.

import { startKafka, type TestKafka } from '../test/support/kafka.ts';
import { metric } from '../test/support/oracle.ts';
import { eventually, type Ugc } from '../test/support/ugc.ts';
import { brokerFlags, brokerUs, startEdge } from './kafka.bench.ts';
import { bodiesOf, load } from './load.ts';
import { type OpenLoad, openLoad, type Sample, summaryOf } from './open-load.ts';
import { cpuUs } from './process.ts';
import type { Row } from './report.ts';

/** Live events a second while something happens to the broker. */
const liveRate = 3_000;
const singles = bodiesOf(1, 500);

export async function outageBench(seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const bench of [down, killed, hung, drain, joined]) {
    const kafka = await startKafka({ flags: brokerFlags });
    const ugc = await startEdge(kafka);
    try {
      await warm(ugc);
      rows.push(...(await bench({ kafka, ugc, seconds })));
    } finally {
      ugc.kill('SIGKILL'); // what is left in the buffer is not measured here
      await ugc.exited;
      await kafka.stopForGood();
    }
  }
  return rows;
}

export interface Running {
  readonly kafka: TestKafka;
  readonly ugc: Ugc;
  readonly seconds: number;
}

/** A new broker makes its topics and compiles what it runs; what went to the disk meanwhile is in Kafka afterwards. */
async function warm(ugc: Ugc): Promise<void> {
  await load({ url: ugc.url, bodies: singles, connections: 64, seconds: 5 });
  await eventually(async () => !(await isOpen(ugc)) && (await metric(ugc.url, 'ugc_buffer_events')) === 0, {
    what: 'a broker that keeps up',
    msMax: 120_000,
  });
}

/** Live load, after so many seconds of it. */
async function loaded(ugc: Ugc, seconds: number): Promise<OpenLoad> {
  const loading = await openLoad({ url: ugc.url, bodies: singles, perSecond: liveRate });
  await Bun.sleep(seconds * 1_000);
  return loading;
}

const isOpen = async (ugc: Ugc): Promise<boolean> => (await metric(ugc.url, 'ugc_breaker_open')) === 1;

/** As fast as it goes, 64 connections, with the broker and without. */
async function down({ kafka, ugc, seconds }: Running): Promise<Row[]> {
  const measure = async (what: string) => {
    const options = { url: ugc.url, bodies: singles, connections: 64 };
    await load({ ...options, seconds: 2 });
    const isBreakerOpen = await isOpen(ugc);
    const before = cpuUs(ugc.pid);
    const result = await load({ ...options, seconds });
    const row = {
      what,
      'events/s': Math.round(result.requestsPerS),
      'core-µs/event': (cpuUs(ugc.pid) - before) / result.requests,
      'p50 ms': result.p50Ms,
      'p99 ms': result.p99Ms,
    };
    return { row, note: `${result.tool} -c64, ${result.bad} bad; breaker ${isBreakerOpen ? 'open' : 'closed'}` };
  };
  const up = await measure('one event a POST, broker up');
  await kafka.kill();
  const without = await measure('one event a POST, broker killed');
  const rate = without.row['events/s'] / up.row['events/s'];
  const p99 = without.row['p99 ms'] / up.row['p99 ms'];
  const ratio = `${rate.toFixed(2)} × the rate, ${p99.toFixed(2)} × the p99 of broker up`;
  return [
    { ...up.row, note: up.note },
    { ...without.row, note: `${without.note}; ${ratio}` },
  ];
}

async function killed({ kafka, ugc, seconds }: Running): Promise<Row[]> {
  const loading = await loaded(ugc, seconds / 2);
  const killedAtMs = performance.now();
  await kafka.kill();
  await Bun.sleep(seconds * 500);
  const samples = await loading.stop();
  const around = samples.filter(({ answeredAtMs }) => answeredAtMs > killedAtMs);
  const first = around.find(({ stored }) => stored === 'disk');
  const { bad, ...times } = summaryOf(around);
  return [
    {
      what: `kill -9 of the broker at ${liveRate.toLocaleString('en')}/s`,
      'events/s': Math.round(samples.length / seconds),
      ...times,
      note: `of all answered after the kill; ${bad} failed; first answer from the disk ${((first?.answeredAtMs ?? Number.NaN) - killedAtMs).toFixed(0)} ms after the kill`,
    },
  ];
}

async function hung({ kafka, ugc, seconds }: Running): Promise<Row[]> {
  const loading = await loaded(ugc, seconds / 2);
  const stoppedAtMs = performance.now();
  kafka.stop();
  await eventually(() => isOpen(ugc), { what: 'an open breaker', msMax: 10_000 });
  const openAtMs = performance.now();
  await Bun.sleep(seconds * 1_000);
  const samples = await loading.stop();
  kafka.cont();
  const row = (what: string, some: readonly Sample[], note: string): Row => {
    const { bad, ...times } = summaryOf(some);
    return { what, ...times, note: `${some.length} events, ${bad} failed; ${note}` };
  };
  const { bad, ...times } = summaryOf(samples.filter(({ dueAtMs }) => dueAtMs >= openAtMs));
  return [
    row(
      'SIGSTOP of the broker: under way when it hung',
      samples.filter(({ dueAtMs, answeredAtMs }) => dueAtMs < stoppedAtMs && answeredAtMs >= stoppedAtMs),
      'the ack budget is 150 ms',
    ),
    row(
      '… until the breaker was open',
      samples.filter(({ dueAtMs }) => dueAtMs >= stoppedAtMs && dueAtMs < openAtMs),
      `seen to be open after ${(openAtMs - stoppedAtMs).toFixed(0)} ms`,
    ),
    {
      what: '… with the breaker open',
      ...times,
      note: `${bad} failed; one event in 500 ms is a trial and waits for Kafka`,
    },
  ];
}

async function drain({ kafka, ugc, seconds }: Running): Promise<Row[]> {
  const quiet = summaryOf(await (await loaded(ugc, seconds)).stop());

  await kafka.kill();
  await load({ url: ugc.url, bodies: bodiesOf(100, 20), connections: 16, seconds });
  const full = await metric(ugc.url, 'ugc_buffer_events');
  const live = await loaded(ugc, 0);
  await kafka.restart();
  const sent = () => metric(ugc.url, 'ugc_buffer_drained_total');
  const sentBefore = await eventually(sent, { what: 'the first events drained' });
  const startedAtMs = performance.now();
  const us = { ugc: cpuUs(ugc.pid), broker: brokerUs(kafka) };
  await eventually(async () => (await metric(ugc.url, 'ugc_buffer_events')) < liveRate / 10, {
    what: 'an empty buffer',
    msMax: 300_000,
    pauseMs: 500, // a scrape is work, too
  });
  const endedAtMs = performance.now();
  const drained = (await sent()) - sentBefore;
  const spent = { ugc: cpuUs(ugc.pid) - us.ugc, broker: brokerUs(kafka) - us.broker };
  const samples = (await live.stop()).filter(({ dueAtMs }) => dueAtMs >= startedAtMs && dueAtMs < endedAtMs);
  const perSecond = drained / ((endedAtMs - startedAtMs) / 1_000);
  const { bad, ...times } = summaryOf(samples);
  return [
    {
      what: `live, ${liveRate.toLocaleString('en')}/s, nothing to drain`,
      'p50 ms': quiet['p50 ms'],
      'p99 ms': quiet['p99 ms'],
      'max ms': quiet['max ms'],
    },
    {
      what: `drain, ${liveRate.toLocaleString('en')}/s live`,
      'events/s': Math.round(perSecond),
      'core-µs/event': spent.ugc / (drained + samples.length),
      'broker core-µs/event': spent.broker / (drained + samples.length),
      ...times,
      note: `${drained.toLocaleString('en')} of ${full.toLocaleString('en')} events, ${(perSecond / liveRate).toFixed(1)} × the live rate; times are of the live ones meanwhile, ${bad} failed, ${samples.filter(({ stored }) => stored === 'disk').length} answered from the disk`,
    },
  ];
}

const fewPerSecond = 5;
const pauseMs = 100;

/** A drain beside nobody, then a few live events: how fast it goes on, and for how long it stands still at most. */
export async function joined({ kafka, ugc, seconds }: Running): Promise<Row[]> {
  await kafka.kill();
  await load({ url: ugc.url, bodies: bodiesOf(100, 20), connections: 16, seconds: 2 * seconds });
  const full = await metric(ugc.url, 'ugc_buffer_events');
  await kafka.restart();
  const sent = () => metric(ugc.url, 'ugc_buffer_drained_total');
  await eventually(async () => (await sent()) > full / 2, { what: 'half of it drained', msMax: 300_000, pauseMs });
  const before = { sent: await sent(), atMs: performance.now() };
  const live = await openLoad({ url: ugc.url, bodies: singles, perSecond: fewPerSecond });
  let [last, movedAtMs, stillMs] = [before.sent, before.atMs, 0];
  const isEmpty = async (): Promise<boolean> => {
    const now = await sent();
    const atMs = performance.now();
    stillMs = Math.max(stillMs, atMs - movedAtMs);
    if (now > last) [last, movedAtMs] = [now, atMs];
    return atMs - before.atMs > seconds * 1_000 || (await metric(ugc.url, 'ugc_buffer_events')) < 1_000;
  };
  await eventually(isEmpty, { what: 'an empty buffer, or the time is over', msMax: 300_000, pauseMs });
  const perSecond = (last - before.sent) / ((movedAtMs - before.atMs) / 1_000);
  const { bad, ...times } = summaryOf(await live.stop());
  return [
    {
      what: `drain beside nobody, then ${fewPerSecond}/s live`,
      'events/s': Math.round(perSecond),
      ...times,
      note: `${before.sent.toLocaleString('en')} of ${full.toLocaleString('en')} events were drained before; stood still for ${Math.round(stillMs)} ms at most; ${bad} live ones failed`,
    },
  ];
}
