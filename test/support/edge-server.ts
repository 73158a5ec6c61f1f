// The HTTP front with the routes of the ingest role, over a log in memory unless told otherwise.

import { catalogue } from '../../schemas/catalogue.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import { type Server, type ServerOptions, startServer } from '../../src/http/server.ts';
import { type Accept, acceptOf } from '../../src/ingest/accept.ts';
import type { OriginOptions } from '../../src/ingest/origin.ts';
import { otlpRoutes } from '../../src/ingest/otlp/routes.ts';
import type { ReadLimits } from '../../src/ingest/reading.ts';
import type { Receipts } from '../../src/ingest/receipts.ts';
import { eventRoutes } from '../../src/ingest/routes.ts';
import type { TrackMapping } from '../../src/ingest/segment/mapping.ts';
import { segmentRoutes } from '../../src/ingest/segment/routes.ts';
import type { Log } from '../../src/ports/log.ts';
import { clockOf } from '../../src/process/clock.ts';
import { judgeOptions, testApi } from './edge.ts';
import { memoryLog } from './memory-log.ts';
import { sharedMetrics as metrics, quietLogs } from './quiet.ts';

export interface EdgeServerOptions extends Partial<ServerOptions> {
  readonly log?: Log;
  /** Null: the process takes no events. */
  readonly accept?: Accept | null;
  readonly receipts?: Receipts;
  readonly limits?: Partial<ReadLimits>;
  /** Of a request of OpenTelemetry. */
  readonly logRecordsMax?: number;
  readonly mapping?: TrackMapping;
  readonly clients?: OriginOptions['clients'];
}

export const testLimits: ReadLimits = {
  bodyBytesMax: 100_000,
  bodyDecompressedBytesMax: 200_000,
  bodyEventsMax: 5,
  bodyTimeoutMs: 60_000,
};

const noReceipts: Receipts = async () => ({ status: 200, headers: {}, body: '' });

export function startEdgeServer({
  log = memoryLog(),
  accept,
  receipts,
  limits,
  logRecordsMax = 5,
  mapping,
  clients,
  ...more
}: EdgeServerOptions = {}): Server {
  const taking = accept === undefined ? acceptOf({ judge: judgeOf(judgeOptions), log, metrics }) : accept;
  const edge = { limits: { ...testLimits, ...limits }, typeOf: catalogue.find, clock: clockOf(), clients };
  return startServer({
    host: '127.0.0.1',
    port: 0,
    adminPort: -1,
    version: '0.0.0',
    routes:
      taking === null
        ? []
        : [
            ...eventRoutes({ accept: taking, receipts: receipts ?? noReceipts, ...edge }),
            ...segmentRoutes({ accept: taking, mapping: mapping ?? new Map(), ...edge }),
            ...otlpRoutes({
              accept: taking,
              recordsMax: logRecordsMax,
              jsonDepthMax: judgeOptions.jsonDepthMax,
              ...edge,
            }),
          ],
    api: () => (taking === null ? [] : [testApi]),
    hint: port =>
      taking === null
        ? 'this process takes no events: it has no ingest role (UGC_ROLE)'
        : `${port === 'here' ? '' : 'this is the port for health and metrics, '}events go to POST /v1/events${port === 'here' ? '' : ` on port ${port}`}`,
    graceMs: 1_000,
    health: () => ({ ready: true, detail: {} }),
    scrape: async () => {},
    metrics,
    logs: quietLogs(),
    ...more,
  });
}
