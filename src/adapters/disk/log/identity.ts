// Which log this file is. A position says nothing without it: the file may be replaced by another, and several instances
// write into one ClickHouse. A file without an identity, from before there were any, gets one when it is opened.
//
// One that cannot be read is replaced: what follows is only that the positions are taken for those of another log.

import { isId } from '../../../record/stamp.ts';
import type { Connection } from './connection.ts';
import { isCorrupt, toPipelineError } from './file.ts';

const isOurs = (id: string | undefined): id is string => isId(id ?? '');

/** A UUID. Where the file cannot take one now, it holds until the file is closed. */
export function identityOf(connection: Connection): string {
  const fresh = crypto.randomUUID();
  try {
    // Two processes may open it at the same moment: the first gives it its identity.
    const known = read(connection);
    if (isOurs(known)) return known;
    return connection.write('fsynced', () => {
      const now = read(connection);
      if (isOurs(now)) return now;
      connection.run('DROP TABLE IF EXISTS identity');
      connection.run('CREATE TABLE identity (id TEXT NOT NULL)');
      connection.run(`INSERT INTO identity VALUES ('${fresh}')`);
      if (now !== undefined) connection.complain('the identity of the buffer was damaged: a new one', { id: fresh });
      return fresh;
    });
  } catch (error) {
    connection.complain('the buffer cannot be given an identity now: it has one until it is closed', {
      id: fresh,
      reason: toPipelineError(error).message,
    });
    return fresh;
  }
}

/** Undefined when it has none, empty when what is there is none. */
function read(connection: Connection): string | undefined {
  const table = connection.one("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'identity'");
  if (table === null) return undefined;
  try {
    return connection.one<{ id: string }>('SELECT CAST(id AS TEXT) AS id FROM identity')?.id ?? '';
  } catch (error) {
    if (isCorrupt(error) || (error as { code?: string }).code === 'SQLITE_ERROR') return '';
    throw error;
  }
}
