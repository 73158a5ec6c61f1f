// Rows as the table has them: one statement to fetch, one to insert, one to set aside.
//
// A value's type lies beside it in the file, one bit between text and bytes: what it is meant to be is said when it is
// fetched, so that such a bit costs nothing.

import type { Connection } from './connection.ts';
import type { Row } from './row.ts';

export function fetchRow(connection: Connection): (seq: number) => Row | null {
  const statement = connection.prepare<Row, [number]>(
    `SELECT seq, CAST(topic AS TEXT) AS topic, CAST(type AS TEXT) AS type, count, received_at_ms AS receivedAtMs,
     head_sum AS headSum, body_sum AS bodySum, CAST(sums AS BLOB) AS sums, CAST(keys AS TEXT) AS keys,
     CAST(ndjson AS BLOB) AS ndjson FROM runs WHERE seq = ?`,
  );
  return seq => statement.get(seq);
}

type Inserted = [number, string, string, number, number, number, number, Uint8Array, string, Uint8Array];

export function insertRow(connection: Connection): (row: Row) => void {
  const statement = connection.prepare<null, Inserted>('INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  return ({ seq, topic, type, count, receivedAtMs, headSum, bodySum, sums, keys, ndjson }) => {
    statement.run(seq, topic, type, count, receivedAtMs, headSum, bodySum, sums, keys, ndjson);
  };
}

type Quarantined = [string, number, number, string, number, string, number, Uint8Array];

export function insertQuarantined(connection: Connection): { run(...values: Quarantined): void } {
  return connection.prepare<null, Quarantined>(
    'INSERT OR IGNORE INTO quarantine (topic, seq, line, type, records, reason, at_ms, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
}
