// `ugc buffer inspect`: records one by one, from the log or from quarantine. For people one a line, cut to the terminal;
// as JSON with everything, bytes that are no JSON object as base64.

import type { BufferFile, BufferFilter, BufferRecord, QuarantinedRecord } from '../ports/buffer-file.ts';
import { isoOf } from '../process/clock.ts';
import type { Exit } from './arguments.ts';
import { damageLog } from './damage-log.ts';
import { columnsOut, cut, plain, say, writeOut } from './output.ts';
import { objectOf, textOf } from './set-aside-record.ts';

export interface InspectFlags extends BufferFilter {
  readonly limit: number;
  readonly quarantine: boolean;
  readonly json: boolean;
}

export function inspect(file: BufferFile, { limit, quarantine, json, ...filter }: InspectFlags): Exit {
  const damage = damageLog();
  const wanted = filterOf(filter);
  const lines = quarantine
    ? mapped(file.quarantined(wanted), json ? quarantinedJson : quarantinedText)
    : mapped(file.records(wanted, damage.note), json ? recordJson : recordText);
  const columns = columnsOut() ?? Number.POSITIVE_INFINITY;
  let shown = 0;
  for (const line of lines) {
    writeOut(`${json ? line : cut(line, columns)}\n`);
    if (++shown === limit) break;
  }
  damage.end();
  if (shown === 0) say(`nothing found in ${quarantine ? 'quarantine' : 'the log'}`);
  return 0;
}

/** A flag that was not given filters nothing. */
export const filterOf = (flags: BufferFilter): BufferFilter => ({
  topic: flags.topic || undefined,
  type: flags.type || undefined,
  id: flags.id?.toLowerCase() || undefined,
  reason: flags.reason || undefined,
});

function* mapped<T>(items: Iterable<T>, map: (item: T) => string): Generator<string> {
  for (const item of items) yield map(item);
}

const lossy = new TextDecoder();
/** The event's own, else that of the oldest appended with it. */
function receivedAt({ receivedAtMs }: BufferRecord, body: string): string {
  const own = objectOf(body)?.received_at;
  return typeof own === 'string' ? own : isoOf(receivedAtMs);
}

function recordText(record: BufferRecord): string {
  const body = lossy.decode(record.body);
  const { position, type, key } = record;
  return plain(`${position}  ${type}  ${key ?? '-'}  ${receivedAt(record, body)}  ${body}`);
}

function recordJson(record: BufferRecord): string {
  const { topic, type, position, key } = record;
  const body = lossy.decode(record.body);
  const head = JSON.stringify({ topic, type, position, key, received_at: receivedAt(record, body) });
  return `${head.slice(0, -1)},${rawJson(record.body)}}`;
}

const quarantinedText = ({ position, index, type, reason, atMs, records, raw }: QuarantinedRecord): string => {
  const times = records === 1 ? '' : `  (${records} records)`;
  return plain(`${position}/${index}  ${type || '-'}  ${isoOf(atMs)}  ${reason}${times}  ${lossy.decode(raw)}`);
};

function quarantinedJson({ raw, atMs, ...entry }: QuarantinedRecord): string {
  const head = JSON.stringify({ ...entry, set_aside_at: isoOf(atMs) });
  return `${head.slice(0, -1)},${rawJson(raw)}}`;
}

/** The bytes as they are where they are an object. */
function rawJson(raw: Uint8Array): string {
  const text = textOf(raw);
  if (text !== null && objectOf(text) !== null) return `"body":${text}`;
  return `"body":null,"raw_base64":"${Buffer.from(raw).toString('base64')}"`;
}
