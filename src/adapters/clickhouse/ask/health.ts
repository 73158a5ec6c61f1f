// How a ClickHouse server is, of what its rows depend on: who is asked, what this user may, disks, parts, mutations,
// replicas. Each question reads system tables alone.

import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { quoteText } from '../sql.ts';

export interface ServerHealth {
  readonly version: string;
  readonly user: string;
  /** Its clock, epoch milliseconds. */
  readonly nowMs: number;
  readonly uptimeSeconds: number;
  /** This user may read alone. */
  readonly isReadonly: boolean;
}

export interface DiskHealth {
  readonly name: string;
  readonly freeBytes: number;
  readonly bytes: number;
}

export interface PartsHealth {
  readonly table: string;
  /** Active ones of one partition, of that which has most. */
  readonly parts: number;
  /** From so many on inserts are slowed down, and refused: by its own settings, else by the server's. */
  readonly delay: number;
  readonly refuse: number;
}

export interface Health {
  server(signal: AbortSignal): Promise<ServerHealth>;
  /** What of these this user may not do in the database; null = the server cannot say. */
  lacks(rights: readonly string[], signal: AbortSignal): Promise<readonly string[] | null>;
  disks(signal: AbortSignal): Promise<readonly DiskHealth[]>;
  /** Nearest to where inserts are slowed down first. */
  parts(signal: AbortSignal): Promise<readonly PartsHealth[]>;
  /** Changes of tables that fail, with the server's words. */
  failingMutations(
    signal: AbortSignal,
  ): Promise<readonly { readonly table: string; readonly command: string; readonly why: string }[]>;
  /** Tables whose replica takes nothing now. */
  readonlyReplicas(signal: AbortSignal): Promise<readonly string[]>;
  /** Tables that were told to take nothing. */
  readonlyTables(signal: AbortSignal): Promise<readonly string[]>;
}

/** Everything rejects with the sink's errors. */
export function healthIn(client: ClickhouseClient, database: string): Health {
  const named = quoteText(database);
  const read = async <Row>(query: string, signal: AbortSignal, doing: string): Promise<Row[]> => {
    try {
      return await client.read<Row>(query, { signal });
    } catch (cause) {
      throw sinkError(cause, doing);
    }
  };

  return {
    async server(signal) {
      const [row] = await read<Record<'version' | 'user' | 'ms' | 'up' | 'readonly', string>>(
        `SELECT version() AS version, currentUser() AS user, toString(toUnixTimestamp64Milli(now64(3))) AS ms,` +
          ` toString(uptime()) AS up, toString(getSetting('readonly')) AS readonly`,
        signal,
        'asking for its version',
      );
      const { version = '', user = '', ms = '0', up = '0', readonly = '0' } = row ?? {};
      return {
        version,
        user,
        nowMs: Number(ms),
        uptimeSeconds: Number(up),
        isReadonly: readonly !== '0' && readonly !== 'false',
      };
    },

    async lacks(rights, signal) {
      try {
        // Those of its roles, too. One column, called whatever the server calls it.
        const rows = await client.read<Readonly<Record<string, string>>>('SHOW GRANTS FINAL', { signal });
        return lackingIn(
          rows.flatMap(row => Object.values(row)),
          database,
          rights,
        );
      } catch (cause) {
        const error = sinkError(cause, 'asking for rights');
        if (error.code === 'sink_halted') return null; // older than the statement, or not for this user
        throw error;
      }
    },

    disks: async signal =>
      (
        await read<Record<'name' | 'free' | 'total', string>>(
          `SELECT name, toString(free_space) AS free, toString(total_space) AS total FROM system.disks WHERE total_space > 0`,
          signal,
          'asking for its disks',
        )
      ).map(({ name, free, total }) => ({ name, freeBytes: Number(free), bytes: Number(total) })),

    parts: async signal =>
      (
        await read<Record<'table' | 'parts' | 'delayed' | 'refused', string>>(
          `SELECT table, toString(most) AS parts, toString(${limitOf('parts_to_delay_insert')}) AS delayed,` +
            ` toString(${limitOf('parts_to_throw_insert')}) AS refused` +
            ` FROM (SELECT table, max(n) AS most FROM (SELECT table, partition, count() AS n FROM system.parts` +
            ` WHERE active AND database = ${named} GROUP BY table, partition) GROUP BY table) AS counted` +
            ` JOIN (SELECT name, engine_full FROM system.tables WHERE database = ${named}) AS known ON name = table` +
            ` ORDER BY most / toFloat64(delayed) DESC LIMIT 5`,
          signal,
          'counting parts',
        )
      ).map(({ table, parts, delayed, refused }) => ({
        table,
        parts: Number(parts),
        delay: Number(delayed),
        refuse: Number(refused),
      })),

    failingMutations: signal =>
      read(
        `SELECT table, substring(command, 1, 100) AS command, substring(latest_fail_reason, 1, 300) AS why` +
          ` FROM system.mutations WHERE database = ${named} AND NOT is_done AND latest_fail_reason != '' LIMIT 5`,
        signal,
        'asking for mutations',
      ),

    async readonlyReplicas(signal) {
      const rows = await read<{ readonly table: string }>(
        `SELECT table FROM system.replicas WHERE database = ${named} AND is_readonly LIMIT 10`,
        signal,
        'asking for replicas',
      );
      return rows.map(({ table }) => table);
    },

    readonlyTables: async signal =>
      (
        await read<{ readonly name: string }>(
          `SELECT name FROM system.tables WHERE database = ${named}` +
            ` AND match(engine_full, '\\\\btable_readonly = (1|true)') ORDER BY name LIMIT 10`,
          signal,
          'asking for tables that take nothing',
        )
      ).map(({ name }) => name),
  };
}

/** What a table says of it in its own settings, else what the server does. */
const limitOf = (setting: string): string =>
  `coalesce(toUInt64OrNull(extract(engine_full, '\\\\b${setting} = (\\\\d+)')),` +
  ` (SELECT toUInt64(value) FROM system.merge_tree_settings WHERE name = '${setting}'))`;

const grantPattern = /^GRANT (.+) ON (\S+) TO /;

/**
 * Rights of which no grant gives anything in the database. A part of one counts as one: which columns or tables somebody
 * has left out is for an insert to find. Exported for its test.
 */
export function lackingIn(grants: readonly string[], database: string, rights: readonly string[]): readonly string[] {
  const given = grants.flatMap(grant => {
    const [, list = '', place = ''] = grantPattern.exec(grant) ?? [];
    const [where] = place.replaceAll('`', '').split('.');
    const isHere =
      where === '*' || where === database || (where?.endsWith('*') && database.startsWith(where.slice(0, -1)));
    return isHere ? list.split(/, (?![^(]*\))/) : [];
  });
  // Of no table that stays.
  const lasting = given.filter(privilege => privilege !== 'CREATE TEMPORARY TABLE');
  const gives = (privilege: string, right: string): boolean =>
    privilege === 'ALL' || privilege === right || [`${right} `, `${right}(`].some(begin => privilege.startsWith(begin));
  return rights.filter(right => !lasting.some(privilege => gives(privilege, right)));
}
