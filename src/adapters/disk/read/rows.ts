// Rows as the table has them: one statement to fetch, one to insert, one to set aside.
//
// A value's type lies beside it in the file, one bit between text and bytes: what it is meant to be is said when it is
// fetched, so that such a bit costs nothing.

import type { Connection } from '../log/connection.ts';
import type { Row } from '../log/row.ts';

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

export interface Quarantined {
  readonly topic: string;
  /** Of its row, and its line in that row as found. */
  readonly seq: number;
  readonly line: number;
  readonly type: string;
  /** How many records it stands for. */
  readonly records: number;
  readonly reason: string;
  readonly raw: Uint8Array;
}

/** More than a row has lines. */
const linesMax = 2 ** 20;

/**
 * Idempotent by topic, place and bytes. A row that has lost lines counts the rest anew, so that two records may claim one
 * place: the second gets one so many lines further on. Inside a transaction.
 */
export function insertQuarantined(connection: Connection): (entry: Quarantined) => void {
  const insert = connection.prepare<null, [string, number, number, string, number, string, number, Uint8Array]>(
    `INSERT INTO quarantine (topic, seq, line, type, records, reason, at_ms, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const isThere = connection.prepare<{ yes: number }, [string, number, number, Uint8Array]>(
    'SELECT 1 AS yes FROM quarantine WHERE topic = ? AND seq = ? AND line = ? AND raw = ?',
  );
  return ({ topic, seq, line, type, records, reason, raw }) => {
    // Of a damaged row either may be missing, whatever its type says.
    const [inTopic, of] = [topic ?? '', type ?? ''];
    for (let place = line; ; place += linesMax) {
      if (insert.run(inTopic, seq, place, of, records, reason, Date.now(), raw).changes > 0) return;
      if (isThere.get(inTopic, seq, place, raw) !== null) return;
    }
  };
}
