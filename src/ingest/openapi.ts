// The OpenAPI 3.1 document: every route, body, answer and problem, made from the catalogue, the table of errors and the
// settings, so that it cannot say anything else than they do. Which routes it tells of is up to who serves it.

import type { Catalogue } from '../../schemas/catalogue.ts';
import type { EventType } from '../../schemas/event.ts';
import { type JsonSchema, jsonSchemaOf, refTo, sharedSchemas } from '../../schemas/json-schema.ts';
import { problemResponses, problemSchemas } from '../http/openapi-problems.ts';
import {
  ackParameter,
  adminPaths,
  answerSchemas,
  documentPaths,
  eventAnswers,
  receiptPaths,
} from './openapi-answers.ts';

export interface OpenApiOptions {
  readonly catalogue: Catalogue;
  /** Of ugc. */
  readonly version: string;
  readonly unknownFields: 'reject' | 'drop';
  readonly eventBytesMax: number;
  readonly bodyBytesMax: number;
  readonly bodyDecompressedBytesMax: number;
  readonly bodyEventsMax: number;
  readonly eventAgeMaxDays: number;
  readonly eventFutureMaxHours: number;
}

export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: Readonly<Record<string, unknown>>;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly security: readonly unknown[];
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> } & Readonly<Record<string, unknown>>;
  readonly responses: Readonly<Record<string, unknown>>;
  readonly [more: string]: unknown;
}

export interface Media {
  readonly schema: JsonSchema;
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>;
}

export function openApiOf(options: OpenApiOptions): OpenApi {
  const { types } = options.catalogue;
  const families = [...new Set(types.map(({ family }) => family))];
  return {
    openapi: '3.1.0',
    info: {
      title: 'ugc',
      version: options.version,
      summary: 'User events over HTTP; each accepted one is exactly one row in ClickHouse',
      description: limitsOf(options),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [
      { name: 'events', description: 'Events of any type' },
      ...families.map(family => ({ name: family, description: `Events of the family ${family}, by type` })),
      { name: 'health', description: 'For who looks after it' },
      { name: 'documentation', description: 'This' },
    ],
    security: [], // UGC_AUTH=none: whoever reaches the port may send
    paths: {
      '/v1/events': { post: postAny(options) },
      ...Object.fromEntries(types.map(type => [`/v1/events/${type.name}`, { post: postOf(type) }])),
      ...receiptPaths,
      ...adminPaths,
      ...documentPaths,
    },
    components: {
      schemas: {
        ...sharedSchemas,
        ...problemSchemas(),
        ...answerSchemas,
        Event: {
          description: 'An event of any type; event_type tells which',
          type: 'object',
          required: ['event_type'],
          anyOf: types.map(({ name }) => refTo(name)),
          discriminator: {
            propertyName: 'event_type',
            mapping: Object.fromEntries(
              types.flatMap(({ name, aliases }) =>
                [name, ...aliases].map(said => [said, `#/components/schemas/${name}`]),
              ),
            ),
          },
        },
        ...Object.fromEntries(
          types.map(type => [type.name, jsonSchemaOf(type, { takesUnknownFields: options.unknownFields === 'drop' })]),
        ),
      },
      responses: problemResponses(),
    },
  };
}

/** The document, as far as it tells of what `serves` says is there. */
export function documentOf(api: OpenApi, serves: (method: string, path: string) => boolean): OpenApi {
  const paths = Object.fromEntries(
    Object.entries(api.paths).flatMap(([path, operations]) => {
      const served = Object.entries(operations).filter(([method]) => serves(method.toUpperCase(), path));
      return served.length === 0 ? [] : [[path, Object.fromEntries(served)]];
    }),
  );
  const used = new Set(
    Object.values(paths).flatMap(operations => Object.values(operations).flatMap(({ tags }) => tags)),
  );
  return { ...api, tags: api.tags.filter(({ name }) => used.has(name)), paths };
}

/** The text of the document as it is served: every example happens now, or sending it would tell of a year long gone. */
export const presentText = (text: string, nowMs: number): string =>
  text.replace(/(\\?"timestamp\\?":\\?")[^"\\]+/g, `$1${new Date(nowMs).toISOString()}`);

const limitsOf = (options: OpenApiOptions): string =>
  `A \`200\` means that the event is durable: Kafka has acknowledged it, or it is on disk, flushed.

Bodies are UTF-8, up to ${options.bodyBytesMax} bytes as sent and ${options.bodyDecompressedBytesMax} decompressed \
(\`Content-Encoding\`: gzip, deflate, br or zstd), with up to ${options.bodyEventsMax} events of up to ${options.eventBytesMax} bytes each. \
Lengths of texts are counted in UTF-16 units. Timestamps lie at most ${options.eventAgeMaxDays} days back and \
${options.eventFutureMaxHours} hours ahead. Fields an event type does not have are ${options.unknownFields === 'drop' ? 'dropped' : 'rejected'}.

Everything that is no success is a problem of RFC 9457, \`application/problem+json\`, with a \`type\` that does not change. \
An unknown path is \`urn:ugc:problem:not-found\`, a method a path does not take \`urn:ugc:problem:method-not-allowed\` with \`Allow\`.`;

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
  } satisfies Record<string, Media>;
}

const storesAbout =
  '**Sending stores for good**, from the page at /apidocs as from anywhere: each accepted event becomes a row.';

const bodyAbout =
  'Recognised by its content type; without one it is JSON. Compressed as Content-Encoding says: gzip, deflate, br or zstd.';

function postAny({ catalogue: { types } }: OpenApiOptions): Operation {
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
