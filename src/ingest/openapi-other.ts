// The ways in that are no JSON of ours, as OpenAPI: forms, CloudEvents, the pixel.

import { type JsonSchema, refTo } from '../../schemas/json-schema.ts';
import type { Media, Paths } from '../http/openapi.ts';
import { pixelPath } from './pixel.ts';

type Example = Readonly<Record<string, unknown>>;

/** Names and values of an event as a form says them. */
const pairsOf = (event: Example): readonly (readonly [string, string])[] =>
  Object.entries(event).flatMap(([name, value]) => {
    if (value === null) return [];
    if (Array.isArray(value)) return value.map(item => [name, String(item)] as const);
    return [[name, typeof value === 'object' ? JSON.stringify(value) : String(value)] as const];
  });

/** Not URLSearchParams, which would write the colons of a time with escapes: people read this. */
const formText = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%3A', ':')}`).join('&');

export const formMedia = (event: JsonSchema, example: Example): Media => ({
  schema: {
    type: 'string',
    description: 'One event field by field, or data= and JSON as in application/json, or base64url of it',
    contentMediaType: 'application/x-www-form-urlencoded',
    contentSchema: event,
  },
  examples: {
    fields: { summary: 'one event, field by field', value: formText(pairsOf(example)) },
    data: { summary: 'data= and JSON', value: formText([['data', JSON.stringify(example)]]) },
  },
});

const cloudEvent = ({ event_type: type, timestamp: time, ...data }: Example) => ({
  specversion: '1.0',
  id: 'A234-1234-1234',
  source: '/site',
  type: `com.example.${type}`,
  data: { ...data, timestamp: time },
});

export const cloudEventMedia = (example: Example): Readonly<Record<string, Media>> => ({
  'application/cloudevents+json': {
    schema: refTo('CloudEvent'),
    examples: { cloudevent: { summary: 'a CloudEvent', value: cloudEvent(example) } },
  },
  'application/cloudevents-batch+json': {
    schema: { type: 'array', items: refTo('CloudEvent'), minItems: 1 },
    examples: { cloudevents: { summary: 'CloudEvents', value: [cloudEvent(example)] } },
  },
});

const textOf = (description: string): JsonSchema => ({ type: 'string', minLength: 1, description });

export const otherSchemas: Readonly<Record<string, JsonSchema>> = {
  CloudEvent: {
    description:
      'CloudEvents 1.0. In binary mode the attributes are ce- headers, and the body is data. Attributes that are not named here stand in properties.cloudevent',
    type: 'object',
    required: ['specversion', 'id', 'source', 'type'],
    properties: {
      specversion: { const: '1.0' },
      id: textOf('event_id where it is a UUID; else one is made of source and id'),
      source: textOf('Who says so'),
      type: textOf('An event type, or one at its end: com.example.click'),
      time: { type: 'string', format: 'date-time', description: 'timestamp; without it the event happens now' },
      subject: { type: 'string' },
      datacontenttype: { type: 'string', description: 'JSON' },
      data: { type: 'object', description: 'The fields of the event' },
      data_base64: { type: 'string', description: 'The same as JSON in base64' },
    },
  },
};

const outcomes =
  'accepted, accepted;warning=…, rejected;reason=…, unauthorized, failed (ask again) or ignored (a prefetch, or HEAD)';

export const pixelPaths: Paths = {
  [pixelPath]: {
    get: {
      operationId: 'getPixel',
      tags: ['events'],
      summary: 'Send one event as the query of an image',
      description:
        '**Asking for it stores for good.** The answer is the same image whatever becomes of the event. Parameters are the fields of the event, properties.x those of its free object; without timestamp it happens now.',
      parameters: [
        {
          name: 'fields',
          in: 'query',
          style: 'form',
          explode: true,
          description: 'event_type and the fields of the type, or data: JSON, or base64url of it; ack as in a POST',
          schema: { type: 'object', additionalProperties: true },
          example: { event_type: 'page_view', country: 'US', device: 'mobile', page_url: 'https://example.com/' },
        },
      ],
      responses: {
        200: {
          description: 'An image of one transparent point',
          headers: { 'X-Ugc-Outcome': { description: outcomes, schema: { type: 'string' } } },
          content: { 'image/gif': { schema: { type: 'string', contentMediaType: 'image/gif' } } },
        },
      },
    },
  },
};
