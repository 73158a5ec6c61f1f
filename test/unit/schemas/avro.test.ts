// Avro schemas of the types: every key of a stored body, and only those, each with a default it can have.

import { expect, test } from 'bun:test';
import { avroSchema } from '../../../schemas/avro.ts';
import { catalogue } from '../../../schemas/catalogue.ts';
import { tableOf } from '../../../schemas/table.ts';

interface Field {
  readonly name: string;
  readonly type: unknown;
  readonly default: unknown;
}

test('every type has a field for every key of its records, and no other', () => {
  for (const type of catalogue.types) {
    const { name, fields } = JSON.parse(avroSchema(type)) as { name: string; fields: Field[] };
    expect(name).toBe(type.name);
    expect(fields.map(field => field.name)).toEqual(tableOf(type).columns.map(column => column.name));
  }
});

test('a default is of the first kind its field may have', () => {
  const kinds: Record<string, string> = { string: 'string', long: 'number', double: 'number', boolean: 'boolean' };
  for (const type of catalogue.types)
    for (const { name, type: kind, default: value } of (JSON.parse(avroSchema(type)) as { fields: Field[] }).fields) {
      const at = `${type.name}.${name}`;
      if (Array.isArray(kind)) expect([at, kind[0], value]).toEqual([at, 'null', null]);
      else if (typeof kind === 'string') expect([at, typeof value]).toEqual([at, kinds[kind]!]);
      else expect([at, JSON.stringify(value)]).toEqual([at, (kind as { type: string }).type === 'map' ? '{}' : '[]']);
    }
});
