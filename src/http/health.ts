// What every process answers its operator's tools: is it alive, could an event be stored now, and its metrics.

import type { JsonSchema } from '../../schemas/json-schema.ts';
import type { Health, Metrics } from '../process/telemetry.ts';
import { json } from './answer.ts';
import type { Connections } from './connections.ts';
import { type ApiPart, getOf, jsonOf } from './openapi.ts';
import type { Route } from './route.ts';

export interface HealthOptions {
  readonly health: () => Health;
  /** Brings gauges up to date before they are read. */
  readonly scrape: () => Promise<void>;
  readonly metrics: Metrics;
  readonly isStopping: () => boolean;
  /** Null until it listens. */
  readonly connections: () => Connections | null;
}

export function healthRoutes({ health, scrape, metrics, isStopping, connections }: HealthOptions): readonly Route[] {
  return [
    { method: 'GET', path: '/healthz/live', handler: () => json(200, '{"status":"live"}') },
    {
      method: 'GET',
      path: '/healthz/ready',
      handler: () => {
        const { ready, detail } = health();
        const isReady = ready && !isStopping();
        const all = { ...detail, ...connections()?.problems() };
        return json(isReady ? 200 : 503, JSON.stringify({ status: isReady ? 'ready' : 'not ready', detail: all }));
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      handler: async () => {
        await Promise.all([scrape(), gaugeConnections(connections(), metrics)]);
        const body = await metrics.registry.metrics();
        return { status: 200, headers: { 'content-type': metrics.registry.contentType }, body };
      },
    },
  ];
}

async function gaugeConnections(connections: Connections | null, metrics: Metrics): Promise<void> {
  const count = await connections?.count();
  if (typeof count === 'number') metrics.httpConnections.set(count);
  if (typeof connections?.max === 'number') metrics.httpConnectionsMax.set(connections.max);
}

const statusOf = (word: string, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  required: ['status', ...Object.keys(more)],
  properties: { status: { const: word }, ...more },
});

const detail = {
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'What does not work just now, in words, by part',
};

export const healthApi: ApiPart = {
  tags: [{ name: 'health', description: 'For who looks after it' }],
  paths: {
    '/healthz/live': getOf('getLive', 'health', 'Whether the process answers', {
      200: { description: 'It does', content: jsonOf(statusOf('live')) },
    }),
    '/healthz/ready': getOf('getReady', 'health', 'Whether an event could be stored durably just now', {
      200: { description: 'It could', content: jsonOf(statusOf('ready', { detail })) },
      503: { description: 'It could not', content: jsonOf(statusOf('not ready', { detail })) },
    }),
    '/metrics': getOf('getMetrics', 'health', 'Metrics for Prometheus', {
      200: { description: 'In its text format', content: { 'text/plain': { schema: { type: 'string' } } } },
    }),
  },
};
