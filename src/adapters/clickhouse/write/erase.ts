// Deletes what the tables hold of a person, and waits until it is gone.
//
// - ALTER … DELETE, which writes parts anew without the rows; a lightweight DELETE would leave the bytes for long.
// - Of an event whose copies differ in their person, all copies go first, by event_id: to delete the one that readers see
//   would show them the other.
// - Every step may be repeated, and so may all of it: a mutation goes on in ClickHouse whoever dies, and another one that
//   finds nothing more changes no part.

import { PipelineError } from '../../../errors.ts';
import { noInstance } from '../ask/ledger.ts';
import { type LetterKey, listOf, type PersonIds, type PersonTable, personSql } from '../ask/person.ts';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { clusterInsertSettings, localTable, onCluster, tableName } from '../schema/rows-table.ts';
import { deadLettersTable, rowsTable } from '../schema/tables.ts';
import { quoteText } from '../sql.ts';

export interface ErasingOptions {
  readonly client: ClickhouseClient;
  readonly database: string;
  /** '' = one node. */
  readonly cluster: string;
  readonly person: PersonIds;
  /** Parts of a table that are still to be written anew. */
  readonly onWaiting?: (table: string, parts: number) => void;
}

/** Everything resolves once it is done on every node, and rejects with the sink's errors. */
export interface Erasing {
  /** The ledger is told first of what will have no row: it would count it as missing. Without a ledger nothing is done. */
  note(table: PersonTable): Promise<void>;
  /** These events whole, whoever's their copies are. */
  events(table: PersonTable, ids: readonly string[]): Promise<void>;
  rows(table: PersonTable): Promise<void>;
  letters(keys: readonly LetterKey[]): Promise<void>;
}

const ledgerType = 'ledger';
/** In one statement, well below ClickHouse's max_query_size. */
const idsMax = 1_000;
const lettersMax = 200;
/** Of the ledger, for the events of one table: none of them becomes long. */
const entriesOfTable = 64;
const pollMs = 100;
/** A mutation that fails is tried again by ClickHouse; after so long it is for an operator. */
const failingMsMax = 60_000;

export function erasingIn({ client, database, cluster, person, onWaiting = () => {} }: ErasingOptions): Erasing {
  const nameOf = (rows: string): string => (cluster === '' ? rows : localTable(rows));

  async function erase(rows: string, where: string): Promise<void> {
    const name = nameOf(rows);
    try {
      await client.run(`ALTER TABLE ${tableName(database, name)}${onCluster(cluster)} DELETE WHERE ${where}`, {
        settings: {
          mutations_sync: 0,
          ...(cluster !== '' && { distributed_ddl_output_mode: 'null_status_on_timeout_only_active' }),
        },
      });
    } catch (cause) {
      throw sinkError(cause, `deleting from ${name}`);
    }
    await done(name);
  }

  /** Also of a mutation that an earlier run has begun. */
  async function done(name: string): Promise<void> {
    const from = cluster === '' ? 'system.mutations' : `clusterAllReplicas(${quoteText(cluster)}, system.mutations)`;
    const query = `SELECT toUInt32(count()) AS mutations, toUInt32(sum(parts_to_do)) AS parts,
        max(latest_fail_reason) AS failure FROM ${from}
      WHERE database = ${quoteText(database)} AND table = ${quoteText(name)} AND NOT is_done`;
    let failingSinceMs: number | null = null;
    for (;;) {
      const [state] = await client
        .read<{ mutations: number; parts: number; failure: string }>(query)
        .catch(cause => Promise.reject(sinkError(cause, `waiting for ${name}`)));
      if (state === undefined || Number(state.mutations) === 0) return;
      onWaiting(name, Number(state.parts));
      const now = performance.now();
      failingSinceMs = state.failure === '' ? null : (failingSinceMs ?? now);
      if (failingSinceMs !== null && now - failingSinceMs > failingMsMax)
        throw new PipelineError('sink_halted', `deleting from ${name} does not succeed: ${state.failure}`);
      await Bun.sleep(pollMs);
    }
  }

  async function note({ type, ...table }: PersonTable): Promise<void> {
    const ledger = rowsTable(ledgerType);
    const query = `INSERT INTO ${tableName(database, ledger)} (event_id, event_type, schema_version, received_at, timestamp, instance, type, forgotten)
      SELECT generateUUIDv7(), '${ledgerType}', 1, now64(3), now64(3), toUUID('${noInstance}'), ${quoteText(type)}, ids FROM (
        SELECT groupArray(event_id) AS ids FROM ${tableName(database, rowsTable(type))} FINAL
        WHERE ${personSql({ type, ...table }, person)} GROUP BY cityHash64(event_id) % ${entriesOfTable}
      )`;
    try {
      const [there] = await client.read(
        `SELECT 1 FROM system.columns WHERE database = ${quoteText(database)} AND table = ${quoteText(ledger)} AND name = 'forgotten'`,
      );
      if (there === undefined) return;
      await client.run(query, { settings: cluster === '' ? {} : clusterInsertSettings });
    } catch (cause) {
      throw sinkError(cause, 'writing to the ledger');
    }
  }

  return {
    note,
    async events({ type }, ids) {
      for (let at = 0; at < ids.length; at += idsMax)
        await erase(rowsTable(type), `event_id IN (${listOf(ids.slice(at, at + idsMax))})`);
    },
    rows: table => erase(rowsTable(table.type), personSql(table, person)),
    async letters(keys) {
      for (let at = 0; at < keys.length; at += lettersMax) {
        const places = keys
          .slice(at, at + lettersMax)
          .map(
            ({ topic, partition, position, index, log }) =>
              `(${quoteText(topic)}, ${Number(partition)}, ${BigInt(position)}, ${Number(index)}, ${quoteText(log)})`,
          );
        await erase(deadLettersTable, `(topic, partition, position, index, log) IN (${places.join(', ')})`);
      }
    },
  };
}
