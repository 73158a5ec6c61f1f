// One operation of content, as OpenAPI: what it takes, what it answers, and how it can be refused.

import { type JsonSchema, refTo, schemaOf } from '../../schemas/json-schema.ts';
import { jsonOf, type Operation } from '../http/openapi.ts';
import { type Fields, visiblePattern } from './body.ts';
import { filmIdPattern } from './ids.ts';

export type Parameter = Readonly<Record<string, unknown>>;

export interface Described {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: {
    readonly schema: JsonSchema;
    readonly example: unknown;
    readonly isOptional?: true;
  };
  /** Of a success; absent = there is nothing to tell: 204. */
  readonly answer?: string;
  readonly status?: 201;
  readonly problems?: readonly number[];
  readonly isUnchangedTold?: true;
}

export function operation(of: Described): Operation {
  const { id, tag, summary, parameters = [], body, answer, status = 200, problems = [] } = of;
  const refusals = [400, 404, 500, 503, ...(body === undefined ? [] : [408, 413, 415, 422]), ...problems];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(parameters.length > 0 && { parameters: [...parameters] }),
    ...(body !== undefined && {
      requestBody: {
        required: body.isOptional !== true,
        content: {
          'application/json': { schema: body.schema, examples: { body: { value: body.example } } },
        },
      },
    }),
    responses: {
      ...(answer === undefined
        ? { 204: { description: 'It is so now' } }
        : { [status]: { description: 'As it is now', content: jsonOf(refTo(answer)) } }),
      ...(of.isUnchangedTold === true && { 304: { description: 'The client has it' } }),
      ...Object.fromEntries(refusals.map(refused => [refused, refTo(`Problem${refused}`, 'responses')])),
    },
  };
}

export const bodySchemaOf = (fields: Fields): JsonSchema => ({
  type: 'object',
  required: fields.filter(({ absent }) => absent === undefined).map(({ name }) => name),
  properties: Object.fromEntries(fields.map(field => [field.name, { ...schemaOf(field), ...patterns[field.name] }])),
  additionalProperties: false,
});

const patterns: Readonly<Record<string, JsonSchema>> = {
  film_id: { pattern: filmIdPattern },
  text: { pattern: visiblePattern },
};
