// Events in the OpenAPI document: their routes, bodies and answers, made from the catalogue and the settings, so that
// it cannot say anything else than they do.

import type { Catalogue } from '../../schemas/catalogue.ts';
import type { EventType } from '../../schemas/event.ts';
import { type JsonSchema, jsonSchemaOf, refTo, sharedSchemas } from '../../schemas/json-schema.ts';
import type { ApiPart, Media, Operation } from '../http/openapi.ts';
import { ackParameter, answerSchemas, eventAnswers, receiptPaths } from './openapi-answers.ts';
import { cloudEventMedia, formMedia, otherSchemas, pixelPaths } from './openapi-other.ts';
import { otlpPaths, otlpSchemas, otlpTag } from './otlp/openapi.ts';
import { sdkPaths } from './sdk.ts';
import { segmentApiPaths, segmentSchemas, segmentTag } from './segment/openapi.ts';

export interface EventsApiOptions {
  readonly catalogue: Catalogue;
  readonly unknownFields: 'reject' | 'drop';
  readonly eventBytesMax: number;
  readonly bodyBytesMax: number;
  readonly bodyDecompressedBytesMax: number;
  readonly bodyEventsMax: number;
  readonly eventAgeMaxDays: number;
  readonly eventFutureMaxHours: number;
  /** What is derived of clients: a device, and by which file a country; '' = none. */
  readonly userAgentParse?: boolean;
  readonly geoipPath?: string;
}

export function eventsApiOf(options: EventsApiOptions): ApiPart {
  const { types } = options.catalogue;
  const families = [...new Set(types.map(({ family }) => family))];
  return {
    description: limitsOf(options),
    tags: [
      { name: 'events', description: 'Events of any type' },
      ...families.map(family => ({ name: family, description: `Events of the family ${family}, by type` })),
      segmentTag,
      otlpTag,
    ],
    paths: {
      '/v1/events': { post: postAny(options) },
      ...Object.fromEntries(types.map(type => [`/v1/events/${type.name}`, { post: postOf(type) }])),
      ...pixelPaths,
      ...receiptPaths,
      ...segmentApiPaths,
      ...otlpPaths,
      ...sdkPaths,
    },
    schemas: {
      ...sharedSchemas,
      ...answerSchemas,
      ...otherSchemas,
      ...segmentSchemas,
      ...otlpSchemas,
      Event: anyEventOf(types),
      ...Object.fromEntries(
        types.map(type => [type.name, jsonSchemaOf(type, { takesUnknownFields: options.unknownFields === 'drop' })]),
      ),
    },
  };
}

const anyEventOf = (types: readonly EventType[]): JsonSchema => ({
  description: 'An event of any type; event_type tells which',
  type: 'object',
  required: ['event_type'],
  anyOf: types.map(({ name }) => refTo(name)),
  discriminator: {
    propertyName: 'event_type',
    mapping: Object.fromEntries(
      types.flatMap(({ name, aliases }) => [name, ...aliases].map(said => [said, `#/components/schemas/${name}`])),
    ),
  },
});

const limitsOf = (options: EventsApiOptions): string =>
  `A \`200\` means that the event is durable: the broker has acknowledged it, or it is on disk, flushed.

Bodies are UTF-8, up to ${options.bodyBytesMax} bytes as sent and ${options.bodyDecompressedBytesMax} decompressed \
(\`Content-Encoding\`: gzip, deflate, br or zstd), with up to ${options.bodyEventsMax} events of up to ${options.eventBytesMax} bytes each. \
Lengths of texts are counted in UTF-16 units. Timestamps lie at most ${options.eventAgeMaxDays} days back and \
${options.eventFutureMaxHours} hours ahead. Fields an event type does not have are ${options.unknownFields === 'drop' ? 'dropped' : 'rejected'}.${derivedOf(options)}`;

/** For callers with a secret key the fields stay as required as their schemas say. */
function derivedOf({ userAgentParse = false, geoipPath = '' }: EventsApiOptions): string {
  const names = [...(geoipPath === '' ? [] : ['`country`']), ...(userAgentParse ? ['`device`'] : [])];
  if (names.length === 0) return '';
  return ` Events that do not say ${names.join(' or ')} get it from their client, unless it sends with a secret key.`;
}

/** The forms in which events of a schema can be sent as JSON. */
const formsOf = (event: JsonSchema): JsonSchema => ({
  anyOf: [
    { title: 'one event', ...event },
    {
      title: 'one event, wrapped',
      type: 'object',
      required: ['event'],
      properties: { event, sent_at: sentAtOfAll },
      additionalProperties: false,
    },
    { title: 'many events', type: 'array', items: event, minItems: 1 },
    {
      title: 'many events, wrapped',
      type: 'object',
      required: ['events'],
      properties: { events: { type: 'array', items: event, minItems: 1 }, sent_at: sentAtOfAll },
      additionalProperties: false,
    },
  ],
});

const sentAtOfAll = {
  anyOf: [refTo('Time'), { type: 'null' }],
  description: 'sent_at of every event that has none of its own',
};

/** Examples of every form, of these events. */
function contentOf(event: JsonSchema, examples: readonly Readonly<Record<string, unknown>>[]) {
  const [first, ...others] = examples as [Readonly<Record<string, unknown>>, ...Readonly<Record<string, unknown>>[]];
  const some = [first, ...others.slice(0, 1)];
  const lines = some.map(example => `${JSON.stringify(example)}\n`).join('');
  const linesOf = (type: string): Media => ({
    schema: { type: 'string', description: 'One event a line', contentMediaType: type, contentSchema: event },
    examples: { lines: { summary: 'one event a line', value: lines } },
  });
  const forms = formsOf(event);
  return {
    'application/json': {
      schema: forms,
      examples: {
        ...Object.fromEntries(
          examples.map(example => [String(example.event_type), { summary: `${example.event_type}`, value: example }]),
        ),
        wrapped: { summary: 'one event, wrapped', value: { event: first } },
        array: { summary: 'many events', value: some },
        events: { summary: 'many events, wrapped', value: { events: some } },
      },
    },
    'text/plain': {
      schema: {
        type: 'string',
        description: 'The same JSON as text, as navigator.sendBeacon sends it',
        contentMediaType: 'application/json',
        contentSchema: forms,
      },
      examples: { beacon: { summary: 'one event', value: JSON.stringify(first) } },
    },
    'application/x-ndjson': linesOf('application/x-ndjson'),
    'application/jsonl': linesOf('application/jsonl'),
    'application/x-www-form-urlencoded': formMedia(event, first),
    ...cloudEventMedia(first),
  } satisfies Record<string, Media>;
}

const storesAbout =
  '**Sending stores for good**, from the page at /apidocs as from anywhere: each accepted event becomes a row.';

const bodyAbout =
  'Recognised by its content type; without one it is JSON, and with ce-specversion among the headers the data of a CloudEvent. Compressed as Content-Encoding says: gzip, deflate, br or zstd.';

function postAny({ catalogue: { types } }: EventsApiOptions): Operation {
  return {
    operationId: 'postEvents',
    tags: ['events'],
    summary: 'Send one event or many, of any types',
    description: storesAbout,
    requestBody: {
      required: true,
      description: bodyAbout,
      content: contentOf(
        refTo('Event'),
        types.map(({ example }) => example),
      ),
    },
    parameters: [ackParameter],
    responses: eventAnswers,
  };
}

function postOf({ name, aliases, family, summary, example }: EventType): Operation {
  const called = aliases.length === 0 ? '' : ` The path may also say ${aliases.join(' or ')}.`;
  return {
    operationId: `post_${name}`,
    tags: [family],
    summary,
    description: `Events of type ${name}: event_type may be absent from them.${called} ${storesAbout}`,
    requestBody: { required: true, description: bodyAbout, content: contentOf(refTo(name), [example]) },
    parameters: [ackParameter],
    responses: eventAnswers,
  };
}
