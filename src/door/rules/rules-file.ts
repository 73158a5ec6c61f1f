// The file of rules: what an operator has said of events that are taken and not wanted. JSON for people and for a mounted
// config map alike; replaced as a whole.

import { type Static, Type } from '@sinclair/typebox';
import { messageOf } from '../../errors.ts';
import { parseNetworks } from '../../process/address.ts';
import { replaceFile } from '../../process/file.ts';
import { closed, parseFile, textOf, time } from '../json-file.ts';

export const ruleActions = ['drop', 'sample', 'divert'] as const;
export type RuleAction = (typeof ruleActions)[number];

const word = Type.String({ minLength: 1, maxLength: 200 });

const ruleSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9]{4,16}$' }),
    action: Type.Union(ruleActions.map(action => Type.Literal(action))),
    /** Of an API key, by name. */
    key: Type.Optional(word),
    event_type: Type.Optional(word),
    /** `user_id`, or `anonymous_id` of an event without one. */
    user: Type.Optional(word),
    /** The client's: one, or a network. */
    address: Type.Optional(word),
    /** Of `sample`: so much of the users is kept, 0 to 1. */
    share: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    /** Of `divert`. */
    topic: Type.Optional(Type.String({ pattern: '^[a-zA-Z0-9._-]{1,249}$' })),
    /** It holds until then; absent = until it is removed. */
    until: Type.Optional(time),
    why: Type.Optional(Type.String({ maxLength: 500 })),
    created_at: time,
  },
  closed,
);
const fileSchema = Type.Object({ rules: Type.Array(ruleSchema, { maxItems: 1_000 }) }, closed);

export type StoredRule = Readonly<Static<typeof ruleSchema>>;

/** None where there is no file. Throws an Error that says what is wrong and where. */
export function readRules(path: string): readonly StoredRule[] {
  const text = textOf(path);
  return text === null ? [] : parseRules(text, path);
}

/** Exported for its test. */
export function parseRules(text: string, path: string): readonly StoredRule[] {
  const { rules } = parseFile(text, path, fileSchema);
  const ids = new Set<string>();
  for (const [at, rule] of rules.entries()) {
    const problem = ids.has(rule.id) ? `the id ${rule.id} stands there twice` : problemOf(rule);
    if (problem !== null) throw new Error(`${path}: /rules/${at}: ${problem}`);
    ids.add(rule.id);
  }
  return rules;
}

/** What a rule says that cannot be meant, in words; null = nothing. */
export function problemOf({ action, key, event_type: type, user, address, share, topic }: StoredRule): string | null {
  if ((action === 'sample') !== (share !== undefined)) return 'share belongs to sample, and sample needs it';
  if ((action === 'divert') !== (topic !== undefined)) return 'topic belongs to divert, and divert needs it';
  if (key === undefined && type === undefined && user === undefined && address === undefined && action !== 'sample')
    return `${action} would take every event there is: name a key, an event type, a user or an address`;
  try {
    if (address !== undefined) parseNetworks([address]);
    return null;
  } catch (error) {
    return `address ${messageOf(error)}`;
  }
}

export const writeRules = (path: string, rules: readonly StoredRule[]): void =>
  // Not secret, and other users' processes may have to read it.
  replaceFile(path, `${JSON.stringify({ rules }, null, 2)}\n`, { mode: 0o644 });
