// Thrift's binary protocol, as much of it as HiveServer2 speaks with us. What is read is a map of field numbers: the few
// fields we look at are named where they are looked at (session.ts), after hive-service-rpc's TCLIService.thrift.

export type Field = readonly [id: number, value: Value];
/** What is written: numbers by their width, structs as lists of fields. */
export type Value =
  | { readonly i16: number }
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly texts: Readonly<Record<string, string>> }
  | { readonly struct: readonly Field[] };

export type Read = boolean | number | bigint | Buffer | readonly Read[] | ReadMap | Struct;
export type Struct = ReadonlyMap<number, Read>;
export interface ReadMap {
  readonly pairs: readonly (readonly [Read, Read])[];
}

const types = {
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  text: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
};

/** There is more to come. */
export const incomplete = Symbol('incomplete');

export function callOf(method: string, sequence: number, request: readonly Field[]): Buffer {
  const parts: Buffer[] = [int32(0x8001_0001 | 0), sized(Buffer.from(method)), int32(sequence)];
  writeStruct(parts, [[1, { struct: request }]]);
  return Buffer.concat(parts);
}

const int32 = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
};

const sized = (bytes: Uint8Array): Buffer => Buffer.concat([int32(bytes.length), bytes]);

function writeStruct(parts: Buffer[], fields: readonly Field[]): void {
  for (const [id, value] of fields) writeField(parts, id, value);
  parts.push(Buffer.from([0]));
}

function writeField(parts: Buffer[], id: number, value: Value): void {
  const head = (type: number): void => void parts.push(Buffer.from([type, id >> 8, id & 255]));
  if ('struct' in value) {
    head(types.struct);
    writeStruct(parts, value.struct);
  } else if ('i16' in value) {
    head(types.i16);
    parts.push(Buffer.from([(value.i16 >> 8) & 255, value.i16 & 255]));
  } else if ('i32' in value) {
    head(types.i32);
    parts.push(int32(value.i32));
  } else if ('i64' in value) {
    head(types.i64);
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value.i64));
    parts.push(bytes);
  } else if ('bool' in value) {
    head(types.bool);
    parts.push(Buffer.from([value.bool ? 1 : 0]));
  } else if ('texts' in value) {
    head(types.map);
    const pairs = Object.entries(value.texts);
    parts.push(Buffer.from([types.text, types.text]), int32(pairs.length));
    for (const [name, text] of pairs) parts.push(sized(Buffer.from(name)), sized(Buffer.from(text)));
  } else {
    head(types.text);
    parts.push(sized('text' in value ? Buffer.from(value.text) : value.bytes));
  }
}

export interface Reply {
  readonly sequence: number;
  /** The struct of the answer; null where the server answers with an exception of its own. */
  readonly success: Struct | null;
  readonly exception: string | null;
  /** Bytes of the reply. */
  readonly length: number;
}

/** A reply from the beginning of the bytes. Throws where it is none. */
export function replyOf(bytes: Buffer): Reply | typeof incomplete {
  const reader = readerOf(bytes);
  try {
    const version = reader.int(4);
    if (version >>> 16 !== 0x8001) throw new Error('what answers there is no HiveServer2 of this transport');
    reader.text();
    const sequence = reader.int(4);
    const result = reader.value(types.struct) as Struct;
    const isException = (version & 255) === 3;
    const success = isException ? undefined : result.get(0);
    return {
      sequence,
      success: success === undefined ? null : (success as Struct),
      exception: isException ? String(result.get(1) ?? 'an exception without words') : null,
      length: reader.at(),
    };
  } catch (error) {
    if (error === incomplete) return incomplete;
    throw error;
  }
}

/** Throws `incomplete` at the end of the bytes. */
function readerOf(bytes: Buffer) {
  let at = 0;
  const need = (count: number): number => {
    if (count < 0) throw new Error('what answers there is no HiveServer2');
    if (at + count > bytes.length) throw incomplete;
    at += count;
    return at - count;
  };
  const int = (width: 1 | 2 | 4): number => bytes.readIntBE(need(width), width);
  const text = (): Buffer => {
    const length = int(4);
    const from = need(length);
    return bytes.subarray(from, from + length);
  };
  const struct = (): Struct => {
    const fields = new Map<number, Read>();
    for (let type = int(1); type !== 0; type = int(1)) {
      const id = int(2);
      fields.set(id, value(type));
    }
    return fields;
  };
  const list = (): Read[] => {
    const type = int(1);
    return Array.from({ length: int(4) }, () => value(type));
  };
  const map = (): ReadMap => {
    const [key, item] = [int(1), int(1)];
    return { pairs: Array.from({ length: int(4) }, () => [value(key), value(item)] as const) };
  };
  const readers: Readonly<Record<number, () => Read>> = {
    [types.bool]: () => int(1) !== 0,
    [types.byte]: () => int(1),
    [types.double]: () => bytes.readDoubleBE(need(8)),
    [types.i16]: () => int(2),
    [types.i32]: () => int(4),
    [types.i64]: () => bytes.readBigInt64BE(need(8)),
    [types.text]: text,
    [types.struct]: struct,
    [types.map]: map,
    [types.set]: list,
    [types.list]: list,
  };
  function value(type: number): Read {
    const read = readers[type];
    if (read === undefined) throw new Error(`what answers there is no HiveServer2: a value of the type ${type}`);
    return read();
  }
  return { int, text, value, at: () => at };
}
