// The console, wired: the page at `/` and what it asks, for a process that takes events. It is no role of its own: it shows
// what the roles of its process do, and asks the tables that these write, or those of UGC_CLICKHOUSE_URL.

import { aggregates } from '../../schemas/aggregates.ts';
import { freeQueryIn } from '../adapters/clickhouse/ask/free-query.ts';
import { lettersIn } from '../adapters/clickhouse/ask/letters.ts';
import { shownTablesIn } from '../adapters/clickhouse/ask/shown-tables.ts';
import { tracedIn } from '../adapters/clickhouse/ask/traced.ts';
import { clickhouseSink } from '../adapters/clickhouse/write/sink.ts';
import type { DeadActed } from '../console/answers.ts';
import { built } from '../console/built.ts';
import { consoleTypes } from '../console/catalogue.ts';
import { type Bench, consoleDead, dismissDead, replayDead } from '../console/dead-letters.ts';
import { consoleOverview } from '../console/overview.ts';
import { consolePage } from '../console/page.ts';
import { consoleQuery } from '../console/query.ts';
import { consoleRejections } from '../console/rejected.ts';
import { type Asks, consoleRoutes, wholeIn } from '../console/routes.ts';
import { eventStory } from '../console/story.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { Call } from '../http/route.ts';
import type { Console as FrontConsole } from '../http/server.ts';
import type { Row, ShownTables } from '../ports/shown-tables.ts';
import { type Around, aboutOf } from './console-about.ts';
import { tellDeed } from './http-audit.ts';
import { type Asked, openAsked } from './lookup.ts';
import type { Parts, Role } from './role.ts';

export interface Console extends Pick<Role, 'close'> {
  /** Null: this process has none. */
  front(around: Around): FrontConsole | null;
}

/** Longer than any query may take. */
const timeoutMs = 15_000;
/** Of one aggregate. */
const aggregateRowsMax = 20_000;

/** `roles`: names of those of this process. After them: it asks what they have opened. */
export function openConsole(parts: Parts, roles: readonly string[]): Console {
  if (!parts.config.console || !roles.includes('ingest')) return { front: () => null, close: async () => {} };
  const asked = openAsked(parts, timeoutMs);
  return {
    front(around) {
      const page = built === null ? null : consolePage(built);
      const isOpen = around.guards.length === 0;
      const routes = consoleRoutes(asksOf(parts, asked, around), { isOpen });
      return { page: page?.answer ?? null, routes: [...(page?.routes ?? []), ...routes] };
    },
    close: asked.close,
  };
}

function asksOf(parts: Parts, asked: Asked, around: Around): Asks {
  const { config, catalogue, buffer, recent, transport } = parts;
  const { clickhouseDatabase: database } = config;
  const of = { client: asked.client, database, types: catalogue.names };
  const tables = shownTablesIn({ ...of, aggregates });
  const about = aboutOf(parts, tables, around);
  const traced = tracedIn(of);
  const query = consoleQuery(freeQueryIn({ client: asked.client, isServer: asked.isServer }));
  const { accepted, topicOf } = catalogue;
  const broker = transport?.title ?? null;
  const acting = oneAtATime();
  async function told(call: Call, what: 'replay' | 'dismiss', act: () => Promise<DeadActed>): Promise<DeadActed> {
    const deed = { action: `dead-${what}`, type: 'change' } as const;
    try {
      const acted = await act();
      const words = `asked to ${what} dead letters in the console: ${acted.done} done, ${Object.keys(acted.left).length} left`;
      tellDeed(parts.logger, call, { ...deed, outcome: 'success', words });
      return acted;
    } catch (error) {
      const words = `asked to ${what} dead letters in the console: ${messageOf(error)}`;
      tellDeed(parts.logger, call, { ...deed, outcome: 'failure', words });
      throw error;
    }
  }
  return {
    gets: {
      '/overview': ({ call }) => consoleOverview(about, call.request),
      '/types': () => consoleTypes({ catalogue: accepted, topicOf, database }),
      '/events/:event_id': ({ params }) =>
        eventStory({ tables: traced, buffer, told: recent.find, broker }, params.event_id ?? '', soon()),
      '/rejections': ({ query }) =>
        consoleRejections({ tables, catalogue: accepted }, wholeIn(query, 'hours', [1, 24, 720]), soon()),
      '/dead': ({ query }) =>
        consoleDead(lettersIn(asked.client(), database), {
          limit: wholeIn(query, 'limit', [1, 100, 1_000]),
          reason: query.get('reason') || undefined,
          topic: query.get('topic') || undefined,
        }),
      '/aggregates': ({ query }) => aggregatesOf(tables, wholeIn(query, 'days', [1, 30, 366])),
    },
    posts: { '/query': ({ body, call }) => query(body, call.request.signal) },
    acts: {
      '/dead/replay': ({ body, call }) =>
        told(call, 'replay', () => acting(() => replayDead(benchOf(parts, asked), body))),
      '/dead/dismiss': ({ body, call }) =>
        told(call, 'dismiss', () => acting(() => dismissDead(benchOf(parts, asked), body))),
    },
  };
}

const soon = (): AbortSignal => AbortSignal.timeout(timeoutMs);

async function aggregatesOf(tables: ShownTables, days: number): Promise<Readonly<Record<string, readonly Row[]>>> {
  const found: Record<string, readonly Row[]> = {};
  for (const { name } of aggregates)
    found[name] = await tables.aggregate(name, { days, limit: aggregateRowsMax }, soon());
  return found;
}

/** The tables are as their writer has made them: nothing is migrated from here. */
function benchOf({ config, catalogue }: Parts, { writer, isHere }: Asked): Bench {
  const client = writer();
  return {
    letters: lettersIn(client, config.clickhouseDatabase),
    sink: clickhouseSink({
      client,
      database: config.clickhouseDatabase,
      tables: catalogue.tables(),
      migrate: 'off',
      timeoutMs: config.clickhouseTimeoutMs,
      embedded: isHere,
      cluster: config.clickhouseCluster,
    }),
    judge: catalogue.judgeForeign,
  };
}

/** Two that work on the same letters would each tell what the other did. Rejects with `conflict`. */
function oneAtATime(): <T>(act: () => Promise<T>) => Promise<T> {
  let isActing = false;
  return async act => {
    if (isActing)
      throw new PipelineError('conflict', 'dead letters are being replayed or dismissed just now: ask again');
    isActing = true;
    try {
      return await act();
    } finally {
      isActing = false;
    }
  };
}
