// What .ci/patches changes in kafkajs, shown on the library as published and as installed. On a real connection:
// test/contract/kafka.test.ts.

import { expect, test } from 'bun:test';
import { dirname, join } from 'node:path';
import { kafkajsAsPublished, timersSetIn } from '../../../support/kafkajs-as-published.ts';

const installed = dirname(require.resolve('kafkajs/package.json'));
const published = kafkajsAsPublished();

interface RequestQueue {
  push(request: object): void;
  fulfillRequest(answer: object): void;
  destroy(): void;
}

/** A queue that has had one request and its answer, and has nothing to do. */
function idleQueue(kafkajs: string): RequestQueue {
  const Queue = require(join(kafkajs, 'src/network/requestQueue')) as new (options: object) => RequestQueue;
  const queue = new Queue({
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: true,
    clientId: 'test',
    broker: 'test',
    logger: { debug() {}, error() {}, warn() {} },
  });
  const entry = { apiKey: 0, apiName: 'Produce', apiVersion: 7, correlationId: 1, resolve() {}, reject() {} };
  queue.push({ entry, expectResponse: true, requestTimeout: null, sendRequest() {} });
  queue.fulfillRequest({ correlationId: 1, payload: {}, size: 0 });
  return queue;
}

test('an idle queue sets no timer; as published it sets them for ever', async () => {
  const theirs = idleQueue(published);
  expect(await timersSetIn(300)).toBeGreaterThan(20);
  theirs.destroy();
  const ours = idleQueue(installed);
  expect(await timersSetIn(300)).toBe(0);
  ours.destroy();
});
