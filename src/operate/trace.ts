// `ugc trace <event_id>`: where one event is: a row, in the buffer on its way, set aside there, or a dead letter. What
// cannot be asked is said, and the rest is told all the same.

import type { ClickhouseClient } from '../adapters/clickhouse/client.ts';
import { sinkError } from '../adapters/clickhouse/errors.ts';
import { tableName } from '../adapters/clickhouse/tables.ts';
import type { Config } from '../config.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { flag } from '../settings.ts';
import { type Command, command } from './arguments.ts';
import type { Buffers } from './buffer.ts';
import { plain, say, writeOut } from './output.ts';
import { withTables } from './tables.ts';

/** One thing known about an event. */
interface Finding {
  readonly is: 'row' | 'dead_letter' | 'in_buffer' | 'set_aside';
  /** When that began, ISO 8601. */
  readonly at: string;
  readonly about: Readonly<Record<string, string | number | null>>;
}

export const traceFlags = { json: flag({ default: false, help: 'One JSON object a line' }) };

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** 0 when it was found, 1 when not, or when something could not be asked. */
export const traceCommand = (buffers: Buffers): Command =>
  command(traceFlags, async ({ args, flags, config }) => {
    const [given = '', stray] = args;
    if (!idPattern.test(given) || stray !== undefined) {
      say('ugc: trace takes one event_id, a UUID; see ugc help trace');
      return 2;
    }
    const id = given.toLowerCase();
    const asked = await Promise.all([
      told('the tables', () => withTables(config, ({ client }) => inTables(client, config, id))),
      told('the buffer', async () => inBuffer(buffers, config, id)),
    ]);
    const findings = asked.flatMap(({ found }) => found);
    for (const finding of findings)
      writeOut(flags.json ? `${JSON.stringify({ event_id: id, ...finding })}\n` : lineOf(finding));
    for (const { problem } of asked) if (problem !== null) say(`ugc: ${problem}`);
    if (findings.length === 0) say(`${id} is nowhere to be found here: not received, still in Kafka, or expired`);
    return findings.length > 0 && asked.every(({ problem }) => problem === null) ? 0 : 1;
  });

interface Told {
  readonly found: readonly Finding[];
  /** Why it could not be asked, or null. */
  readonly problem: string | null;
}

async function told(what: string, ask: () => Promise<readonly Finding[]>): Promise<Told> {
  try {
    return { found: await ask(), problem: null };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    // Nothing of the kind in this folder: then the event is not there either.
    if (error.code === 'config_invalid') return { found: [], problem: null };
    return { found: [], problem: `${what} could not be asked: ${messageOf(error).trim()}` };
  }
}

async function inTables(client: ClickhouseClient, config: Config, id: string): Promise<Finding[]> {
  const read = async <Row>(query: string): Promise<Row[]> => {
    try {
      return await (await client.query({ query, query_params: { id }, format: 'JSONEachRow' })).json<Row>();
    } catch (cause) {
      throw sinkError(cause, `looking for ${id}`);
    }
  };
  const iso = (column: string) => `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC')`;
  const database = config.clickhouseDatabase;
  const rows = await read<{ at: string; event_type: string; timestamp: string; source: string }>(
    `SELECT ${iso('received_at')} AS at, event_type, ${iso('events.timestamp')} AS timestamp, source
     FROM ${tableName(database, 'events')} WHERE event_id = {id:UUID} ORDER BY event_type`,
  );
  const letters = await read<{ at: string; place: string; reason: string; detail: string; replayed_at: string | null }>(
    `SELECT ${iso('failed_at')} AS at, concat(topic, '/', toString(partition), '/', toString(position), if(index = 0, '', concat('+', toString(index)))) AS place,
       reason, detail, if(replayed_at IS NULL, NULL, ${iso('assumeNotNull(dead_letters.replayed_at)')}) AS replayed_at
     FROM ${tableName(database, 'dead_letters')} WHERE positionCaseInsensitive(raw, {id:String}) > 0 ORDER BY at`,
  );
  return [
    ...rows.map(({ at, ...about }): Finding => ({ is: 'row', at, about })),
    ...letters.map(({ at, ...about }): Finding => ({ is: 'dead_letter', at, about })),
  ];
}

function inBuffer(buffers: Buffers, config: Config, id: string): Finding[] {
  const file = buffers.read(config);
  try {
    const lying = [...file.records({ id }, () => {})].map(
      ({ topic, type, position, receivedAtMs }): Finding => ({
        is: 'in_buffer',
        at: new Date(receivedAtMs).toISOString(),
        about: { topic, event_type: type, position },
      }),
    );
    const aside = [...file.quarantined({ id })].map(
      ({ topic, type, position, reason, atMs }): Finding => ({
        is: 'set_aside',
        at: new Date(atMs).toISOString(),
        about: { topic, event_type: type, position, reason },
      }),
    );
    return [...lying, ...aside];
  } finally {
    file.close();
  }
}

const words: Readonly<Record<Finding['is'], string>> = {
  row: 'a row, received then',
  dead_letter: 'a dead letter since then',
  in_buffer: 'in the disk buffer, on its way, received then',
  set_aside: 'set aside in the disk buffer since then',
};

function lineOf({ is, at, about }: Finding): string {
  const details = Object.entries(about).map(
    ([name, value]) => `    ${name.padEnd(12)} ${plain(String(value ?? '–'))}\n`,
  );
  return `${at}  ${words[is]}\n${details.join('')}`;
}
