// `GET /v1/stream`, wired: what passes is put aside from the first event on, and shown once there is a front to ask.

import { hostname } from 'node:os';
import type { LiveCatalogue } from '../catalogue/live.ts';
import type { Config } from '../config/config.ts';
import type { ApiPart } from '../http/openapi.ts';
import type { Call, Route } from '../http/route.ts';
import { glimpseOf } from '../ingest/glimpse.ts';
import { shapesOf } from '../ingest/shape.ts';
import type { FlowHere } from '../ports/flow-control.ts';
import type { Stats, Watched } from '../ports/passing.ts';
import type { Health, Logger, Metrics } from '../process/telemetry.ts';
import { streamApi } from '../tap/openapi.ts';
import { type StreamRouteOptions, streamRoute } from '../tap/route.ts';
import { statisticsOf } from '../tap/statistics.ts';
import { openTap } from '../tap/tap.ts';
import { tellDeed } from './http-audit.ts';
import type { Role } from './role.ts';

export interface StreamOptions {
  readonly config: Config;
  /** Of ugc. */
  readonly version: string;
  /** Names of those of this process. */
  readonly roles: readonly string[];
  readonly catalogue: Pick<LiveCatalogue, 'accepted'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** What is known once all roles are open. */
export interface Shown extends Pick<StreamRouteOptions, 'door'> {
  readonly scrape: () => Promise<void>;
  readonly health: () => Health;
  /** That it moves. */
  readonly flows: () => readonly FlowHere[];
}

export interface Stream extends Role {
  readonly watched: Watched;
  tools(shown: Shown): { readonly routes: readonly Route[]; readonly api: ApiPart };
}

export function openStream({ config, version, roles, catalogue, metrics, logger }: StreamOptions): Stream {
  let stats: (() => Promise<Stats | null>) | null = null;
  const tap = openTap({
    readersMax: config.streamReaders,
    glimpseOf: glimpseOf(shapesOf(catalogue.accepted)),
    stats: async () => (await stats?.()) ?? null,
    onDropped: events => metrics.streamDropped.inc(events),
  });
  return {
    watched: tap.watched,
    tools({ door, scrape, health, flows }) {
      stats = statisticsOf({
        metrics,
        scrape,
        health,
        flows,
        about: { version, host: hostname(), pid: process.pid, roles },
        readers: tap.readers,
      });
      return { routes: [streamRoute({ tap, door, onShown })], api: streamApi };
    },
    scrape: async () => metrics.streamReaders.set(tap.readers()),
    finish: tap.finish,
    close: tap.close,
  };

  function onShown(call: Pick<Call, 'caller' | 'address'>): void {
    const words = 'is shown events as they pass';
    tellDeed(logger, call, { action: 'stream-read', type: 'access', outcome: 'success', words });
  }
}
