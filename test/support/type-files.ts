// Event types as files, for tests of UGC_SCHEMAS_DIR.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TypeJson extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A type of a text, a number that may be absent, and whatever else is given. */
export const typeJson = (name: string, changes: Record<string, unknown> = {}): TypeJson => ({
  name,
  description: 'A trailer was watched',
  family: 'trailers',
  stream: 'view',
  type: 'object',
  properties: {
    film_id: { type: 'string', maxLength: 64, description: 'The film it is of' },
    seconds: { type: 'integer', minimum: 0, maximum: 86_400 },
  },
  required: ['film_id'],
  examples: [{ timestamp: '2024-10-03T14:30:00Z', film_id: 'f1', seconds: 95 }],
  ...changes,
});

/** An event of that type. */
export const typedEvent = (name: string, changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  event_type: name,
  timestamp: new Date().toISOString(),
  film_id: 'f1',
  ...changes,
});

export interface TypeFiles {
  readonly folder: string;
  write(type: TypeJson | string, file?: string): void;
  remove(file: string): void;
}

export function typeFiles(folder: string): TypeFiles {
  mkdirSync(folder, { recursive: true });
  return {
    folder,
    write: (type, file) =>
      writeFileSync(
        join(folder, file ?? (typeof type === 'string' ? 'a.json' : `${type.name}.json`)),
        typeof type === 'string' ? type : JSON.stringify(type, null, 2),
      ),
    remove: file => rmSync(join(folder, file)),
  };
}
