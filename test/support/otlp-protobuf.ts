// Requests of OTLP as proto3 JSON → binary protobuf, by hand: what the reader of ours is held against.

import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { logsRequest } from './otlp-logs.ts';

type Json = Readonly<Record<string, unknown>>;

const { Varint, LengthDelimited, Bit64, Bit32 } = WireType;

function lists(writer: BinaryWriter, number: number, items: unknown, encode: (item: Json) => Uint8Array): void {
  for (const item of (items ?? []) as readonly Json[]) writer.tag(number, LengthDelimited).bytes(encode(item));
}

function texts(writer: BinaryWriter, given: Json, numbers: Readonly<Record<string, number>>): void {
  for (const [name, number] of Object.entries(numbers))
    if (given[name] !== undefined) writer.tag(number, LengthDelimited).string(String(given[name]));
}

export function anyValueBytes(value: Json): Uint8Array {
  const writer = new BinaryWriter();
  if ('stringValue' in value) writer.tag(1, LengthDelimited).string(String(value.stringValue));
  if ('boolValue' in value) writer.tag(2, Varint).bool(value.boolValue === true);
  if ('intValue' in value) writer.tag(3, Varint).int64(BigInt(value.intValue as string));
  if ('doubleValue' in value) writer.tag(4, Bit64).double(Number(value.doubleValue));
  if ('arrayValue' in value) {
    const list = new BinaryWriter();
    lists(list, 1, (value.arrayValue as Json).values, anyValueBytes);
    writer.tag(5, LengthDelimited).bytes(list.finish());
  }
  if ('kvlistValue' in value) {
    const list = new BinaryWriter();
    lists(list, 1, (value.kvlistValue as Json).values, pairBytes);
    writer.tag(6, LengthDelimited).bytes(list.finish());
  }
  if ('bytesValue' in value) writer.tag(7, LengthDelimited).bytes(Uint8Array.fromBase64(value.bytesValue as string));
  return writer.finish();
}

function pairBytes({ key, value }: Json): Uint8Array {
  const writer = new BinaryWriter().tag(1, LengthDelimited).string(String(key));
  return writer
    .tag(2, LengthDelimited)
    .bytes(anyValueBytes(value as Json))
    .finish();
}

function recordBytes(record: Json): Uint8Array {
  const writer = new BinaryWriter();
  if (record.timeUnixNano !== undefined) writer.tag(1, Bit64).fixed64(BigInt(record.timeUnixNano as string));
  if (record.severityNumber !== undefined) writer.tag(2, Varint).int32(record.severityNumber as number);
  texts(writer, record, { severityText: 3, eventName: 12 });
  if (record.body !== undefined) writer.tag(5, LengthDelimited).bytes(anyValueBytes(record.body as Json));
  lists(writer, 6, record.attributes, pairBytes);
  if (record.droppedAttributesCount !== undefined)
    writer.tag(7, Varint).uint32(record.droppedAttributesCount as number);
  if (record.flags !== undefined) writer.tag(8, Bit32).fixed32(record.flags as number);
  if (record.traceId !== undefined) writer.tag(9, LengthDelimited).bytes(Uint8Array.fromHex(record.traceId as string));
  if (record.spanId !== undefined) writer.tag(10, LengthDelimited).bytes(Uint8Array.fromHex(record.spanId as string));
  if (record.observedTimeUnixNano !== undefined)
    writer.tag(11, Bit64).fixed64(BigInt(record.observedTimeUnixNano as string));
  return writer.finish();
}

function scopeLogsBytes({ scope, logRecords, ...others }: Json): Uint8Array {
  const writer = new BinaryWriter();
  if (scope !== undefined) {
    const inner = new BinaryWriter();
    texts(inner, scope as Json, { name: 1, version: 2 });
    lists(inner, 3, (scope as Json).attributes, pairBytes);
    writer.tag(1, LengthDelimited).bytes(inner.finish());
  }
  lists(writer, 2, logRecords, recordBytes);
  texts(writer, others, { schemaUrl: 3 });
  return writer.finish();
}

function resourceLogsBytes({ resource, scopeLogs, ...others }: Json): Uint8Array {
  const inner = new BinaryWriter();
  lists(inner, 1, (resource as Json | undefined)?.attributes, pairBytes);
  const writer = new BinaryWriter().tag(1, LengthDelimited).bytes(inner.finish());
  lists(writer, 2, scopeLogs, scopeLogsBytes);
  texts(writer, others, { schemaUrl: 3 });
  return writer.finish();
}

export function requestBytes({ resourceLogs }: ReturnType<typeof logsRequest>): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  lists(writer, 1, resourceLogs, resourceLogsBytes as (item: Json) => Uint8Array);
  return new Uint8Array(writer.finish());
}
