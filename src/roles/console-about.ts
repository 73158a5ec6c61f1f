// What the console says of its process: its parts as the way of an event, out of what the roles and the settings are.

import type { FlowPart } from '../console/answers.ts';
import { type About, eventsUrlOf, type Place } from '../console/overview.ts';
import type { Guard } from '../http/openapi.ts';
import type { ShownTables } from '../ports/shown-tables.ts';
import { build } from '../process/build.ts';
import type { Parts } from './role.ts';

/** What is known once there is a front. */
export interface Around {
  /** Names of the roles of this process. */
  readonly roles: readonly string[];
  /** What the door lets in by; none = everybody may. */
  readonly guards: readonly Guard[];
  /** What does not work just now: of a role by its name, of what all share as `shared`, of the front as `front`. */
  problemsOf(name: string): Readonly<Record<string, string>>;
  /** Where events are taken; asked once it listens. */
  readonly port: () => number;
}

const lookMsMax = 3_000;

export function aboutOf(parts: Parts, tables: Pick<ShownTables, 'hasEvents'>, around: Around): About {
  const { config, version } = parts;
  const { guards, roles, port } = around;
  const startedAt = performance.now();
  const scheme = config.tlsCert === '' ? 'http' : 'https';
  return {
    version,
    commit: build.commit,
    roles,
    auth: guards[0] ?? 'none',
    may_act: guards.length > 0,
    places: placesOf(parts, around),
    upMs: () => performance.now() - startedAt,
    hasEvents: seenIn(parts, tables),
    eventsUrl: request => eventsUrlOf(request, { scheme, port: config.adminPort < 0 ? null : port() }),
  };
}

function placesOf({ config, transport, buffer }: Parts, { roles, problemsOf }: Around): readonly Place[] {
  const shared = (isOf: (name: string) => boolean) => () =>
    Object.fromEntries(Object.entries(problemsOf('shared')).filter(([name]) => isOf(name)));
  const ofEdge = ['clock', 'schemas'];
  const behind: readonly FlowPart['id'][] = ['tables', 'archive'];
  const hasBroker = transport !== null;
  const isWaiting = async () => buffer !== null && buffer.problem() === null && (await buffer.stats()).events > 0;
  const ofRole = (name: string): Pick<Place, 'isHere' | 'problems'> => ({
    isHere: roles.includes(name),
    problems: () => problemsOf(name),
  });
  return [
    {
      id: 'in',
      name: 'HTTP',
      isHere: roles.includes('ingest'),
      to: hasBroker ? ['log', 'buffer'] : ['log'],
      problems: () => ({ ...shared(name => ofEdge.includes(name))(), ...problemsOf('front'), ...problemsOf('ingest') }),
    },
    {
      id: 'log',
      name: hasBroker ? brokerName(transport.title, config.kafkaBrokers) : 'disk buffer',
      isHere: true,
      to: behind,
      problems: shared(name => !ofEdge.includes(name) && (name !== 'buffer' || !hasBroker)),
    },
    {
      id: 'buffer',
      name: 'disk buffer',
      isHere: hasBroker && buffer !== null,
      to: ['log'],
      problems: shared(name => name === 'buffer'),
      isWaiting,
    },
    { id: 'tables', name: tablesName(config.clickhouseUrl), to: [], ...ofRole('etl') },
    { id: 'archive', name: archiveName(config.archiveUrl), to: [], ...ofRole('archive') },
    { id: 'content', name: 'content', to: hasBroker ? ['log', 'buffer'] : ['log'], ...ofRole('content') },
  ];
}

const brokerName = (title: string, kafkaBrokers: string): string => {
  const brokers = kafkaBrokers.split(',').filter(name => name.trim() !== '').length;
  return title === 'Kafka' && brokers > 0 ? `Kafka (${brokers} broker${brokers === 1 ? '' : 's'})` : title;
};

/** Hosts alone: what else stands in an address may be a secret. */
function tablesName(url: string): string {
  if (url === '') return 'embedded ClickHouse';
  return URL.canParse(url) ? `ClickHouse at ${new URL(url).host}` : 'ClickHouse';
}

const archiveName = (url: string): string => (url === '' ? 'archive' : `archive (${url.split(':')[0]})`);

/** Once there has been one there has been one. A table that cannot be asked leaves it open, and then it is not said. */
function seenIn({ catalogue, metrics }: Parts, tables: Pick<ShownTables, 'hasEvents'>): () => Promise<boolean> {
  let isSeen = false;
  return async () => {
    isSeen ||= await hasTaken(metrics);
    if (isSeen || catalogue.names().length === 0) return isSeen;
    try {
      isSeen = await tables.hasEvents(AbortSignal.timeout(lookMsMax));
    } catch {
      return true; // it cannot be asked just now: nothing is said of it
    }
    return isSeen;
  };
}

async function hasTaken({ registry }: Parts['metrics']): Promise<boolean> {
  const received = await registry.getSingleMetric('ugc_events_received_total')?.get();
  return received?.values.some(({ labels, value }) => labels.outcome === 'accepted' && value > 0) === true;
}
