// The OpenAPI 3.1 document, put together from what the parts of a port bring, so that it tells of the routes that are there
// and of no others.

import { type JsonSchema, refTo } from '../../schemas/json-schema.ts';
import { problemResponses, problemSchemas } from './openapi-problems.ts';
import { matches, type Route } from './route.ts';

export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: Readonly<Record<string, unknown>>;
  readonly tags: readonly Tag[];
  readonly paths: Paths;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly security: readonly unknown[];
}

export interface Tag {
  readonly name: string;
  readonly description: string;
}

export type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

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

/** What one part of the process has to say in the document. */
export interface ApiPart {
  readonly tags: readonly Tag[];
  readonly paths: Paths;
  readonly schemas?: Readonly<Record<string, JsonSchema>>;
  /** A paragraph for the head of the document. */
  readonly description?: string;
}

export interface DocumentOptions {
  /** Of ugc. */
  readonly version: string;
  readonly parts: readonly ApiPart[];
  /** What whoever asks for a route that needs something has to show, one of these; none = everybody may. */
  readonly guards?: readonly Guard[];
  /** What the port serves: paths that are none of these are left out. */
  readonly routes: readonly Route[];
}

export function documentOf({ version, parts, routes, guards = [] }: DocumentOptions): OpenApi {
  const securitySchemes: Schemes = Object.assign({}, ...guards.map(guard => schemesOf[guard]));
  const paths = servedPaths(parts, routes, Object.keys(securitySchemes));
  const used = new Set(
    Object.values(paths).flatMap(operations => Object.values(operations).flatMap(({ tags }) => tags)),
  );
  const tags = [...new Map(parts.flatMap(part => part.tags.map(tag => [tag.name, tag] as const))).values()];
  return {
    openapi: '3.1.0',
    info: {
      title: 'ugc',
      version,
      summary: 'User events over HTTP; each accepted one is exactly one row in ClickHouse',
      description: [...parts.flatMap(({ description }) => description ?? []), aboutProblems].join('\n\n'),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: tags.filter(({ name }) => used.has(name)),
    security: [], // what needs a key or a token says so itself
    paths,
    components: {
      schemas: { ...problemSchemas(), ...Object.assign({}, ...parts.map(({ schemas }) => schemas)) },
      responses: problemResponses(),
      ...(guards.length > 0 && { securitySchemes }),
    },
  };
}

export type Guard = 'keys' | 'jwt';

type Schemes = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Where a key or a token is shown; any of them will do. */
const schemesOf: Readonly<Record<Guard, Schemes>> = {
  keys: {
    bearer: { type: 'http', scheme: 'bearer', description: 'An API key' },
    header: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
    basic: { type: 'http', scheme: 'basic', description: 'An API key as the user' },
    query: { type: 'apiKey', in: 'query', name: 'key', description: 'A public key' },
  },
  jwt: {
    token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token of the issuer' },
  },
};

/**
 * What asks who may: pages of other origins and senders of too much are refused, whether or not a key is wanted. What answers
 * nothing but 200 tells of a refusal in it.
 */
const asked = (operation: Operation, schemes: readonly string[], { isPublic }: Route): Operation => ({
  ...operation,
  ...(schemes.length > 0 && {
    security: [...schemes.map(name => ({ [name]: [] })), ...(isPublic === true ? [{}] : [])],
  }),
  responses: {
    ...(Object.keys(operation.responses).some(status => status !== '200') && {
      ...(schemes.length > 0 && { 401: refTo('Problem401', 'responses') }),
      403: refTo('Problem403', 'responses'),
      429: refTo('Problem429', 'responses'),
    }),
    ...operation.responses,
  },
});

function servedPaths(parts: readonly ApiPart[], routes: readonly Route[], schemes: readonly string[]): Paths {
  const routeOf = (method: string, path: string): Route | undefined =>
    routes.find(route => route.method === method && matches(route.path, path));
  return Object.fromEntries(
    parts.flatMap(part =>
      Object.entries(part.paths).flatMap(([path, operations]) => {
        const served = Object.entries(operations).flatMap(([method, operation]) => {
          const route = routeOf(method.toUpperCase(), path);
          if (route === undefined) return [];
          return [[method, route.needs === undefined ? operation : asked(operation, schemes, route)] as const];
        });
        return served.length === 0 ? [] : [[path, Object.fromEntries(served)] as const];
      }),
    ),
  );
}

const aboutProblems = `Everything that is no success is a problem of RFC 9457, \`application/problem+json\`, with a \`type\` that does not change. \
An unknown path is \`urn:ugc:problem:not-found\`, a method a path does not take \`urn:ugc:problem:method-not-allowed\` with \`Allow\`.`;

/** The text of the document as it is served: every example happens now, or sending it would tell of a year long gone. */
export const presentText = (text: string, nowMs: number): string =>
  text.replace(/(\\?"timestamp\\?":\\?"|\btimestamp=)[^"\\&]+/g, `$1${new Date(nowMs).toISOString()}`);

export const jsonOf = (schema: JsonSchema) => ({ 'application/json': { schema } });

/** A GET without a body. */
export const getOf = (
  operationId: string,
  tag: string,
  summary: string,
  responses: JsonSchema,
): { readonly get: Operation } => ({
  get: { operationId, tags: [tag], summary, responses: { ...responses, 500: refTo('Problem500', 'responses') } },
});
