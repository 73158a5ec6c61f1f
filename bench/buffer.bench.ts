// What the disk buffer costs: append of groups of several sizes (an append each, as many at once as the queue sees
// under load), at a fixed rate for the latency, and reading all of it back. CPU is the whole process, worker included.
//
//   bun bench/buffer.bench.ts       TMPDIR's file system is what fsync is measured on

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteBuffer } from '../src/adapters/disk/log/buffer.ts';
import type { DiskBuffer } from '../src/ports/buffer.ts';
import type { Envelope } from '../src/ports/log.ts';
import type { Ack } from '../src/ports/source.ts';
import { markdown, type Row } from './report.ts';

const types = ['click', 'page_view', 'film_watched', 'quality_change', 'search_filter_use'];
const bodyLength = 340;

interface Line {
  readonly what: string;
  readonly events: number;
  readonly seconds: number;
  readonly cpuMicros: number;
  readonly latenciesMs?: number[];
}

function envelope(index: number): Envelope {
  const type = types[index % types.length]!;
  const id = Bun.randomUUIDv7();
  const head = `{"event_id":"${id}","event_type":"${type}","received_at":"2026-11-21T22:00:00.000Z","n":${index},"x":"`;
  const body = head + 'x'.repeat(Math.max(0, bodyLength + (index % 41) - 20 - head.length - 2)) + '"}';
  return { id, type, version: 1, topic: `ugc.${type}`, key: id, body, receivedAtMs: 1_795_000_000_000 + index };
}

/** `atOnce` appends of `size` events are kept under way. */
async function appendAll(buffer: DiskBuffer, size: number, atOnce: number, total: number): Promise<Line> {
  const groups = Array.from({ length: 50 }, (_, group) =>
    Array.from({ length: size }, (_, index) => envelope(group * size + index)),
  );
  const count = Math.max(atOnce, Math.floor(total / size));
  const latenciesMs: number[] = [];
  let next = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const appendOn = async (): Promise<void> => {
    while (next < count) {
      const group = groups[next++ % groups.length]!;
      const at = performance.now();
      await buffer.append(group);
      latenciesMs.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, appendOn));
  return { what: `append ${size} × ${atOnce} at once`, events: count * size, ...spent(start, cpu), latenciesMs };
}

/** Appends of `size` events arrive at a fixed rate, whatever the buffer does; late starts count as latency. */
async function appendAtRate(buffer: DiskBuffer, size: number, perSecond: number, seconds: number): Promise<Line> {
  const groups = Array.from({ length: 50 }, (_, group) =>
    Array.from({ length: size }, (_, index) => envelope(group * size + index)),
  );
  const count = Math.floor((perSecond * seconds) / size);
  const latenciesMs: number[] = [];
  const open: Promise<void>[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - start) * perSecond) / 1000 / size));
    for (; sent < due; sent++) {
      const dueAt = start + (sent * size * 1000) / perSecond;
      open.push(
        buffer.append(groups[sent % groups.length]!).then(() => void latenciesMs.push(performance.now() - dueAt)),
      );
    }
    await Bun.sleep(1);
  }
  await Promise.all(open);
  return { what: `append ${size}, ${perSecond} events/s`, events: count * size, ...spent(start, cpu), latenciesMs };
}

async function readAll(buffer: DiskBuffer, what: string): Promise<Line> {
  const source = buffer.source('bench');
  const total = (await buffer.stats()).events;
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let events = 0; events < total; ) {
    const batches = await source.poll({ paused: new Set(), bytesMax: 8 * 2 ** 20 }, AbortSignal.timeout(10_000));
    const reached = new Map<string, Ack>();
    for (const { topic, ack, count } of batches) {
      events += count;
      reached.set(topic, ack);
    }
    await Promise.all([...reached.values()].map(ack => source.commit(ack)));
  }
  while ((await buffer.stats()).events > 0) await Bun.sleep(1);
  await source.close();
  return { what, events: total, ...spent(start, cpu) };
}

function spent(start: number, cpu: NodeJS.CpuUsage) {
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1000, cpuMicros: user + system };
}

function toRow({ what, events, seconds, cpuMicros, latenciesMs = [] }: Line): Row {
  const sorted = latenciesMs.sort((a, b) => a - b);
  const at = (share: number): number | string => sorted[Math.floor((sorted.length - 1) * share)] ?? '';
  return {
    what,
    'events/s': Math.round(events / seconds),
    'core-µs/event': cpuMicros / events,
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'max ms': at(1),
  };
}

/** Size of an append, appends at once, events in all. */
const loads = [
  [1, 1, 4_000],
  [1, 64, 100_000],
  [64, 1, 200_000],
  [64, 16, 400_000],
  [1_000, 1, 400_000],
  [6_400, 1, 400_000],
] as const;

export async function bufferBench(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-buffer-bench-'));
  const path = join(folder, 'buffer.sqlite');
  const buffer = await sqliteBuffer({ path, bytesMax: 8 * 2 ** 30, diskReserveBytes: 0 });
  await buffer.source('bench').close();
  const rows: Row[] = [];
  const readBack = async () => rows.push(toRow(await readAll(buffer, '… read back, committed, deleted')));
  for (const [size, atOnce, total] of loads) {
    rows.push(toRow(await appendAll(buffer, size, atOnce, total)));
    await readBack();
  }
  rows.push(toRow(await appendAtRate(buffer, 1, 10_000, 4)));
  await readBack();
  rows.push(toRow(await appendAtRate(buffer, 20, 40_000, 5)));
  await readBack();
  await buffer.close();
  rmSync(folder, { recursive: true });
  return rows;
}

if (import.meta.main) console.log(markdown(await bufferBench()));
