// The messages of OTLP in binary protobuf, as the same objects that their JSON is parsed to; and the answers to them.
// https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/logs/v1/logs.proto
//
// - Loaded when somebody sends it.
// - Bytes of a text that are not UTF-8 are U+FFFD, as in the JSON of collectors: a line costs no other one.
// - Fields nobody knows, and known ones of another wire type, are passed over, as by any reader of protobuf.
// - A few bytes can be a message, so they are counted, and their nesting is bounded: neither memory nor the stack is a
//   sender's to choose.

import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { messageOf, PipelineError } from '../../errors.ts';
import type { Answer } from '../../http/answer.ts';
import { protobufType, replyOf } from './answer.ts';

/** 5 000 records with forty attributes each take half of it. */
const messagesMax = 1_000_000;
/** Twice what UGC_JSON_DEPTH_MAX may ever be, a list being two messages, and what is around a value. */
const nestingMax = 264;

interface Field {
  readonly name: string;
  readonly wire: WireType;
  readonly isList?: boolean;
  readonly read: (reader: BinaryReader, reading: Reading) => unknown;
}

/** By number. */
interface Message {
  readonly fields: Readonly<Record<number, Field>>;
  /** Of its fields one is set: the last. */
  readonly isOneOf?: boolean;
}

/** What has been read of a body. */
interface Reading {
  messages: number;
  nesting: number;
}

const text = (name: string): Field => ({ name, wire: WireType.LengthDelimited, read: reader => reader.string() });
const bytes = (name: string, spell: (given: Uint8Array) => string): Field => ({
  name,
  wire: WireType.LengthDelimited,
  read: reader => spell(reader.bytes()),
});
const varint = (name: string, read: Field['read']): Field => ({ name, wire: WireType.Varint, read });
const nanos = (name: string): Field => ({ name, wire: WireType.Bit64, read: reader => reader.fixed64() });
/** `of`: messages hold each other. */
const message = (name: string, of: () => Message): Field => ({
  name,
  wire: WireType.LengthDelimited,
  read: (reader, reading) => readMessage(reader, reader.uint32(), of(), reading),
});
const list = (name: string, of: () => Message): Field => ({ ...message(name, of), isList: true });

const arrayValue: Message = { fields: { 1: list('values', () => anyValue) } };
const keyValue: Message = { fields: { 1: text('key'), 2: message('value', () => anyValue) } };
const keyValueList: Message = { fields: { 1: list('values', () => keyValue) } };
const anyValue: Message = {
  isOneOf: true,
  fields: {
    1: text('stringValue'),
    2: varint('boolValue', reader => reader.bool()),
    3: varint('intValue', reader => reader.int64()),
    4: { name: 'doubleValue', wire: WireType.Bit64, read: reader => doubleOf(reader.double()) },
    5: message('arrayValue', () => arrayValue),
    6: message('kvlistValue', () => keyValueList),
    7: bytes('bytesValue', given => given.toBase64()),
  },
};
const attributes = list('attributes', () => keyValue);
const logRecord: Message = {
  fields: {
    1: nanos('timeUnixNano'),
    2: varint('severityNumber', reader => reader.int32()),
    3: text('severityText'),
    5: message('body', () => anyValue),
    6: attributes,
    7: varint('droppedAttributesCount', reader => reader.uint32()),
    8: { name: 'flags', wire: WireType.Bit32, read: reader => reader.fixed32() },
    9: bytes('traceId', given => given.toHex()),
    10: bytes('spanId', given => given.toHex()),
    11: nanos('observedTimeUnixNano'),
    12: text('eventName'),
  },
};
const scope: Message = { fields: { 1: text('name'), 2: text('version'), 3: attributes } };
const scopeLogs: Message = {
  fields: { 1: message('scope', () => scope), 2: list('logRecords', () => logRecord), 3: text('schemaUrl') },
};
const resource: Message = { fields: { 1: attributes } };
const resourceLogs: Message = {
  fields: { 1: message('resource', () => resource), 2: list('scopeLogs', () => scopeLogs), 3: text('schemaUrl') },
};
const request: Message = { fields: { 1: list('resourceLogs', () => resourceLogs) } };

/** Numbers that JSON has not are their names in it. */
const doubleOf = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

/** An ExportLogsServiceRequest. Throws `bad_request` or `too_large`. */
export function readRequest(body: Uint8Array): unknown {
  try {
    return readMessage(new BinaryReader(body), body.length, request, { messages: 0, nesting: 0 });
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError('bad_request', `this is no ExportLogsServiceRequest in protobuf: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function readMessage(reader: BinaryReader, length: number, { fields, isOneOf }: Message, reading: Reading): unknown {
  if (++reading.messages > messagesMax)
    throw new PipelineError('too_large', `the body holds more than ${messagesMax} messages: send smaller batches`);
  if (++reading.nesting > nestingMax) throw new Error(`it is nested deeper than ${nestingMax} messages`);
  const end = reader.pos + length;
  if (end > reader.len) throw new Error('it ends in the middle of a message');
  let read: Record<string, unknown> = {};
  while (reader.pos < end) {
    const [number, wire] = reader.tag();
    const field = fields[number];
    if (field === undefined || field.wire !== wire) {
      reader.skip(wire, number);
      continue;
    }
    const value = field.read(reader, reading);
    if (isOneOf === true) read = { [field.name]: value };
    else if (field.isList !== true) read[field.name] = value;
    else if (read[field.name] === undefined) read[field.name] = [value];
    else (read[field.name] as unknown[]).push(value);
  }
  if (reader.pos !== end) throw new Error('a message in it is longer than the one around it');
  reading.nesting--;
  return read;
}

/** As an ExportLogsServiceResponse, or a google.rpc.Status. */
export function protobufAnswer(answer: Answer): Answer {
  const { status, headers, said } = replyOf(answer);
  const writer = new BinaryWriter();
  if ('code' in said)
    writer.tag(1, WireType.Varint).int32(said.code).tag(2, WireType.LengthDelimited).string(said.message);
  else if (said.rejected > 0)
    writer
      .tag(1, WireType.LengthDelimited)
      .fork()
      .tag(1, WireType.Varint)
      .int64(said.rejected)
      .tag(2, WireType.LengthDelimited)
      .string(said.message)
      .join();
  return {
    status,
    headers: { 'content-type': protobufType, ...headers },
    body: '',
    bytes: new Uint8Array(writer.finish()),
  };
}
