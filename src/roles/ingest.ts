// The role `ingest`: events over HTTP → the log.

import type { Catalogue } from '../../schemas/catalogue.ts';
import { ledgerTopic, ledgerType } from '../../schemas/ledger.ts';
import { rejectionsTopic } from '../../schemas/rejections.ts';
import type { ApiPart } from '../http/openapi.ts';
import { acceptOf } from '../ingest/accept.ts';
import { type Ledger, startLedger } from '../ingest/ledger.ts';
import { eventsApiOf } from '../ingest/openapi.ts';
import { otlpRoutes } from '../ingest/otlp/routes.ts';
import { readableOf } from '../ingest/readable.ts';
import { receiptsOf } from '../ingest/receipts.ts';
import { type Rejections, startRejections } from '../ingest/rejections.ts';
import { eventRoutes } from '../ingest/routes.ts';
import { sdkRoutes } from '../ingest/sdk.ts';
import { readMapping } from '../ingest/segment/mapping.ts';
import { segmentRoutes } from '../ingest/segment/routes.ts';
import { shapesOf } from '../ingest/shape.ts';
import type { Log } from '../ports/log.ts';
import type { Watched } from '../ports/passing.ts';
import { openClients } from './clients.ts';
import { openLookup } from './lookup.ts';
import type { Parts, RoleDefinition } from './role.ts';
import { openRules } from './rules.ts';

export const ingest: RoleDefinition = {
  name: 'ingest',
  writes: true,
  async open(parts) {
    const { config, catalogue, metrics, buffer, clock, recent } = parts;
    const log = parts.log!;
    const typeOf = (name: string) => catalogue.accepted().find(name);
    const mapping = readMapping(config.segmentMapping, typeOf);
    const lookup = openLookup(parts);
    const ledger = openLedger(log.log, parts);
    const rejections = openRejections(log.log, parts);
    const bodies = watchedBodies(rejections, parts.watched);
    const readable = readableOf({
      presence: lookup.tables,
      refusal: lookup.refusal,
      timeoutMs: config.ackStoredTimeoutMs,
    });
    const rules = openRules(parts);
    const { clients, ...countries } = openClients(parts);
    const accept = acceptOf({
      judge: catalogue.judge,
      log: log.log,
      metrics,
      ledger,
      rejections,
      recent,
      watched: parts.watched,
      readable,
      ruling: rules.now,
      clock,
      userPolicy: config.jwtUser,
    });
    const receipts = receiptsOf({ tables: lookup.tables, database: config.clickhouseDatabase, buffer, recent });
    return {
      routes: [
        ...eventRoutes({ accept, receipts, rejections: bodies, limits: config, typeOf, clock, clients }),
        ...segmentRoutes({ accept, rejections: bodies, limits: config, mapping, typeOf, clock, clients }),
        ...otlpRoutes({
          accept,
          rejections: bodies,
          limits: config,
          recordsMax: config.bodyLogRecordsMax,
          jsonDepthMax: config.jsonDepthMax,
          clock,
          clients,
        }),
        ...sdkRoutes,
      ],
      api: apiOf(parts),
      hint: 'events go to POST /v1/events',
      problems: () => ({
        ...(rules.problem() === null ? {} : { rules: rules.problem()! }),
        ...(countries.problem() === null ? {} : { geoip: countries.problem()! }),
      }),
      isReady: () => log.takes(config.eventBytesMax),
      finish: readable.stop,
      close: async () => {
        rules.close();
        countries.close();
        await Promise.all([ledger?.close(), rejections?.close()]);
        await lookup.close();
      },
    };
  },
};

/** Made when a client asks: it is large, and most processes are never asked. */
function apiOf({ config, catalogue }: Parts): () => ApiPart {
  let of: Catalogue | null = null;
  let made: ApiPart | null = null;
  return () => {
    const accepted = catalogue.accepted();
    if (made === null || of !== accepted) made = eventsApiOf({ ...config, catalogue: accepted });
    of = accepted;
    return made;
  };
}

/** Bodies no event could be read from are counted, and shown to who watches. */
const watchedBodies = (rejections: Rejections | null, watched: Watched): Pick<Rejections, 'noteBody'> => ({
  noteBody: (error, source) => {
    rejections?.noteBody(error, source);
    watched.now?.noteBody(error, source);
  },
});

/** Only if asked for, through the very log the events go to. */
const openLedger = (log: Log, { config, logger }: Parts): Ledger | null =>
  config.ledger
    ? startLedger({
        log,
        type: ledgerType,
        topic: ledgerTopic(config.topic),
        onDropped: entries => logger.error({ entries }, 'the ledger has a gap: too many entries wait for the log'),
      })
    : null;

const openRejections = (log: Log, { config, catalogue, metrics }: Parts): Rejections | null =>
  config.rejectionsSeconds > 0
    ? startRejections({
        log,
        topic: rejectionsTopic(config.topic),
        shapes: shapesOf(catalogue.accepted),
        everyMs: config.rejectionsSeconds * 1_000,
        onLost: rejected => metrics.rejectionsLost.inc(rejected),
      })
    : null;
