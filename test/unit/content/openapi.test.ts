// The document of the content routes: all of them and no others, open to everybody where the routes are, and whole.

import { expect, test } from 'bun:test';
import { memoryContent } from '../../../src/adapters/memory/content.ts';
import { contentApiOf } from '../../../src/content/openapi.ts';
import { contentRoutes } from '../../../src/content/routes.ts';
import { documentOf } from '../../../src/http/openapi.ts';

const store = memoryContent({ viewing: { seenSeconds: 120, seenShare: 0.05, watchedShare: 0.9 } });
const routes = contentRoutes({
  store,
  clock: { stamp: Date.now, problem: () => null },
  limits: { bodyBytesMax: 1, bodyDecompressedBytesMax: 1, bodyTimeoutMs: 1 },
  reviewLengthMax: 500,
  isShownAtOnce: true,
  wake: () => {},
});
const document = documentOf({
  version: '0',
  parts: [contentApiOf({ reviewLengthMax: 500 })],
  guards: ['jwt'],
  routes,
});
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
);

test('tells of every route and of no other', () => {
  const listed = routes
    .filter(({ isOtherPath }) => isOtherPath === undefined)
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  expect(operations.map(({ name }) => name).toSorted()).toEqual(listed.toSorted());
  expect(Object.keys(contentApiOf({ reviewLengthMax: 500 }).paths).toSorted()).toEqual(
    Object.keys(document.paths).toSorted(),
  );
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
});

test('asks for a token, but where everybody may', () => {
  const open = operations.filter(({ operation }) =>
    (operation.security as readonly object[]).some(way => Object.keys(way).length === 0),
  );
  expect(open.map(({ name }) => name).toSorted()).toEqual([
    'GET /v1/films/{film_id}',
    'GET /v1/films/{film_id}/like',
    'GET /v1/films/{film_id}/reviews',
    'GET /v1/reviews/{review_id}',
    'GET /v1/reviews/{review_id}/like',
  ]);
  for (const { operation } of operations) expect(operation.security).toContainEqual({ token: [] });
});

test('refers to nothing that is not there, and bounds what it takes', () => {
  const text = JSON.stringify(document);
  const named = [...text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)];
  expect(named.length).toBeGreaterThan(50);
  for (const [, sort = '', name = ''] of named) expect(document.components[sort]).toHaveProperty(name);
  expect(text).toContain('"maxLength":500');
});
