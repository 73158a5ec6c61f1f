// A message of the Segment spec → an event of ours. https://segment.com/docs/connections/spec/
//
// - `track` is the type its mapping says; else the type of its name where it fits that; else `custom`, by its name. `page` and
//   `screen` with an address are `page_view`, without one `custom`. `identify`, `group`, `alias` have types of their own.
// - Properties that are fields of the type, by their name or in snake case, become them; the others and `context` stay in
//   `properties`. Nothing is guessed: a country or a device that nobody tells is empty.

import type { EventType, NamedField } from '../../../schemas/event.ts';
import { describe } from '../../../schemas/misfit.ts';
import { isObject } from '../../catalogue/judge.ts';
import { type JsonObject, readId } from '../../catalogue/rejection.ts';
import { isoOf } from '../../process/clock.ts';
import { type Meaning, Misread } from '../reading.ts';
import type { TrackMapping } from './mapping.ts';

export const calls = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const;
export type Call = (typeof calls)[number];

export interface MessageOptions extends Meaning {
  readonly mapping: TrackMapping;
}

/** Of the ids made here: never to be changed, or a repeat would be another row. */
const namespace = 'c6f0e7c4-5b7b-4a51-9a35-0f5f6a1f6b0e';

/** `source`: the name of the key, which tells messages apart that count from 1. Throws a Misread. */
export function eventOfMessage(message: unknown, source: string, options: MessageOptions): JsonObject {
  if (!isObject(message)) throw misread('', `expected a message, got ${describe(message)}`);
  const call = calls.find(name => name === message.type);
  if (call === undefined) throw misread('/type', `expected one of ${calls.join(', ')}, got ${describe(message.type)}`);
  return { ...makers[call](message, options), ...commonOf(message, source, options.now) };
}

const misread = (path: string, message: string): Misread => new Misread({ path, message });

function commonOf(message: JsonObject, source: string, now: () => number): JsonObject {
  const { messageId, userId, anonymousId, timestamp, originalTimestamp } = message;
  return {
    ...(messageId !== undefined && messageId !== null && { event_id: eventIdOf(messageId, source) }),
    timestamp: timestamp ?? originalTimestamp ?? isoOf(now()),
    user_id: idOf(userId) ?? null,
    anonymous_id: idOf(anonymousId) ?? null,
  };
}

const uuidAtEnd = /(?:^|-)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** A UUID, or one behind what an SDK puts in front (`node-next-1668208232027-743be593-…`); else one made of the text. */
function eventIdOf(messageId: unknown, source: string): string {
  if (typeof messageId !== 'string' && typeof messageId !== 'number')
    throw misread('/messageId', `expected text, got ${describe(messageId)}`);
  const text = String(messageId);
  return readId(uuidAtEnd.exec(text)?.[1]) ?? Bun.randomUUIDv5(JSON.stringify([source, text]), namespace);
}

/** Ids are text here; senders also count. */
const idOf = (id: unknown): unknown => (typeof id === 'number' || typeof id === 'bigint' ? String(id) : id);

type Maker = (message: JsonObject, options: MessageOptions) => JsonObject;

const makers: Readonly<Record<Call, Maker>> = {
  track(message, { mapping, typeOf }) {
    const name = message.event;
    if (typeof name !== 'string' || name === '') throw misread('/event', `expected a name, got ${describe(name)}`);
    const given = objectAt(message, 'properties');
    const mapped = mapping.get(name);
    if (mapped !== undefined) {
      const renamed = Object.entries(given).map(([key, value]) => [mapped.fields.get(key) ?? key, value] as const);
      return filled(typeOf(mapped.type), mapped.type, Object.fromEntries(renamed), message);
    }
    const type = typeOf(name) ?? typeOf(snakeOf(name));
    if (type !== undefined && type.name !== 'custom') {
      const event = filled(type, type.name, given, message);
      if (type.fits({ ...event, user_id: idOf(message.userId) ?? null })) return event;
    }
    return customOf(name, given, message);
  },
  page: viewOf,
  screen: viewOf,
  identify: message => ({
    event_type: 'user_identified',
    traits: objectAt(message, 'traits'),
    ...placeOf(message, {}),
    properties: contextOf(message),
  }),
  group: message => ({
    event_type: 'group_identified',
    group_id: idOf(message.groupId),
    traits: objectAt(message, 'traits'),
    ...placeOf(message, {}),
    properties: contextOf(message),
  }),
  alias: message => ({
    event_type: 'user_aliased',
    previous_id: idOf(message.previousId),
    ...placeOf(message, {}),
    properties: contextOf(message),
  }),
};

function viewOf(message: JsonObject, { typeOf }: MessageOptions): JsonObject {
  const given = objectAt(message, 'properties');
  const page = isObject(message.context) && isObject(message.context.page) ? message.context.page : {};
  const url = given.url ?? page.url;
  const name = typeof message.name === 'string' && message.name !== '' ? message.name : undefined;
  if (typeof url !== 'string' || url === '') return customOf(name ?? String(message.type), given, message);
  const { url: _, referrer, ...rest } = given;
  const from = referrer ?? page.referrer;
  const referrerUrl = from === '' ? null : (from ?? null);
  const told = { ...(name !== undefined && { name }), ...rest, page_url: url, referrer_url: referrerUrl };
  return filled(typeOf('page_view'), 'page_view', told, message);
}

const customOf = (name: string, given: JsonObject, message: JsonObject): JsonObject => ({
  event_type: 'custom',
  ...placeOf(message, {}),
  name: name.slice(0, nameLengthMax).toWellFormed(),
  properties: { ...contextOf(message), ...given },
});

/** Of `custom`. */
const nameLengthMax = 256;

/** What of the given is a field of the type goes there, the rest into its properties. */
function filled(type: EventType | undefined, name: string, given: JsonObject, message: JsonObject): JsonObject {
  const fields: Record<string, unknown> = {};
  const rest: [string, unknown][] = [];
  for (const [key, value] of Object.entries(given)) {
    const field = fieldOf(type, key) ?? fieldOf(type, snakeOf(key));
    if (field !== undefined && fields[field.name] === undefined) fields[field.name] = value;
    else rest.push([key, value]);
  }
  return {
    event_type: name,
    ...placeOf(message, fields),
    ...fields,
    properties: Object.fromEntries([...Object.entries(contextOf(message)), ...rest]),
  };
}

/** Who it is of is told beside the properties, never in them. */
const ownNames: ReadonlySet<string> = new Set(['user_id', 'anonymous_id', 'properties']);

const fieldOf = (type: EventType | undefined, name: string): NamedField | undefined =>
  ownNames.has(name) ? undefined : type?.allFields.find(field => field.name === name);

/** Film Watched, filmWatched, film-watched → film_watched */
export const snakeOf = (name: string): string =>
  name
    .slice(0, 200)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();

/** Country and device, where the context tells them and the properties do not. */
function placeOf({ context }: JsonObject, { country, device }: JsonObject): JsonObject {
  const { location, device: kind, userAgentData } = isObject(context) ? context : {};
  const isMobile = isObject(userAgentData) ? userAgentData.mobile : undefined;
  const guess = typeof isMobile === 'boolean' ? (isMobile ? 'mobile' : 'desktop') : '';
  return {
    country: country ?? textOf(location, 'country') ?? '',
    device: device ?? textOf(kind, 'type') ?? guess,
  };
}

function textOf(within: unknown, name: string): string | undefined {
  const value = isObject(within) ? within[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

const contextOf = ({ context }: JsonObject): JsonObject => (isObject(context) ? { context } : {});

function objectAt(message: JsonObject, name: string): JsonObject {
  const value = message[name] ?? {};
  if (!isObject(value)) throw misread(`/${name}`, `expected an object, got ${describe(value)}`);
  return value;
}
