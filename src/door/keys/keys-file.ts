// The file of API keys: JSON for people and for a Kubernetes secret alike, without a single key in it, only hashes.
// It is replaced as a whole, so a reader sees the old or the new one, and readable to its owner alone.

import { type Static, Type } from '@sinclair/typebox';
import { messageOf } from '../../errors.ts';
import { isOwnSource } from '../../ports/own-source.ts';
import { scopes } from '../../ports/scope.ts';
import { replaceFile } from '../../process/file.ts';
import { parseOrigin } from '../../process/origin.ts';
import { closed, parseFile, textOf, time } from '../json-file.ts';

const keySchema = Type.Object(
  {
    /** What an operator calls it by; never given twice. */
    id: Type.String({ pattern: '^[a-z0-9]{8}$' }),
    /** Becomes the `source` of its events. */
    name: Type.String({ minLength: 1, maxLength: 100 }),
    kind: Type.Union([Type.Literal('public'), Type.Literal('secret')]),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    scopes: Type.Array(Type.Union(scopes.map(scope => Type.Literal(scope))), { minItems: 1 }),
    /** A browser may send from these alone; absent = from everywhere, and what is no browser always may. */
    origins: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    /** Types of events it may send; absent = all. */
    event_types: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { minItems: 1 })),
    /** Events it may send a second; absent = as many as any other. */
    rate: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10_000_000 })),
    created_at: time,
    /** Until then; absent = for ever. */
    expires_at: Type.Optional(time),
    /** No longer, since then. It stays in the file, so that whoever uses it is told. */
    revoked_at: Type.Optional(time),
  },
  closed,
);
const fileSchema = Type.Object({ keys: Type.Array(keySchema, { maxItems: 100_000 }) }, closed);

export type StoredKey = Readonly<Static<typeof keySchema>>;

/** None where there is no file. Throws an Error that says what is wrong and where. */
export function readKeys(path: string): readonly StoredKey[] {
  const text = textOf(path);
  return text === null ? [] : parseKeys(text, path);
}

/** Exported for its test. */
export function parseKeys(text: string, path: string): readonly StoredKey[] {
  const { keys } = parseFile(text, path, fileSchema);
  const seen = new Set<string>();
  return keys.map((key, at) => {
    const refuse = (why: string): never => {
      throw new Error(`${path}: /keys/${at}: ${why}`);
    };
    for (const name of [key.id, key.sha256]) {
      if (seen.has(name)) refuse(`${name} stands there twice`);
      seen.add(name);
    }
    if (isOwnSource(key.name)) refuse('names that begin with ugc: are the sources of what ugc itself writes');
    if (key.kind === 'public' && key.scopes.some(scope => scope !== 'events:write'))
      refuse('a public key stands in web pages: it may have events:write and nothing else');
    try {
      return { ...key, ...(key.origins && { origins: key.origins.map(parseOrigin) }) };
    } catch (error) {
      return refuse(`an origin ${messageOf(error)}`);
    }
  });
}

export const writeKeys = (path: string, keys: readonly StoredKey[]): void =>
  replaceFile(path, `${JSON.stringify({ keys }, null, 2)}\n`);
