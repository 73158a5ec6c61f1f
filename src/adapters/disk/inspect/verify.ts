// Holds the file against everything it says of itself: SQLite's own check of every page and of the index against the
// table, the counters against the rows, and every row against its checksums. Changes nothing.
//
// The first two see one snapshot, and as long as it lasts the write-ahead log of a running instance cannot start anew;
// the checksums, which take longest, are walked in short reads.

import type { BufferVerdict } from '../../../ports/buffer-file.ts';
import type { Connection } from '../log/connection.ts';
import { examine, isBodyIntact, isHeadIntact, type Row } from '../log/row.ts';
import { fetchRow } from '../read/rows.ts';
import { readPositions } from '../repair/report.ts';
import { fetchHead, lastPosition, unlessCorrupt, walkPositions } from './walk.ts';

type Complain = (problem: string) => void;

const problemsMax = 1_000;

export function verdictOf(
  connection: Connection,
  onProgress: (events: number, ofEvents: number) => void,
): BufferVerdict {
  const problems: string[] = [];
  let problemCount = 0;
  const complain: Complain = problem => {
    if (problemCount++ < problemsMax) problems.push(problem);
  };
  const expected = connection.read(() => {
    checkPages(connection, complain);
    return checkCounters(connection, complain);
  });
  const sums = { rows: 0, events: 0, bytes: 0 };
  const fetch = fetchRow(connection);
  const onGap = (after: number): void => complain(`a page of the table cannot be read: rows after ${after} are hidden`);
  let previous = 0;
  for (const seq of walkPositions(connection, { upTo: lastPosition(connection), onGap })) {
    const found = unlessCorrupt(() => ({ row: fetch(seq) }));
    if (found === null) complain(`row ${seq} cannot be read`);
    if (!found?.row) continue;
    checkRow(found.row, complain);
    if (seq - found.row.count < previous) complain(`row ${seq}: its positions are those of the row before it, too`);
    previous = seq;
    sums.rows++;
    sums.events += found.row.count;
    sums.bytes += found.row.ndjson.length;
    onProgress(sums.events, expected);
  }
  return { ...sums, quarantined: checkQuarantine(connection, complain), problems, problemCount };
}

/** A table that was replaced stays in the file under another name, damaged as it is. */
function checkPages(connection: Connection, complain: Complain): void {
  const replaced = unlessCorrupt(() =>
    connection.many("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'damaged\\_%' ESCAPE '\\'"),
  );
  const targets = replaced?.length ? ['(runs)', '(readers)', '(state)', '(quarantine)'] : [''];
  for (const target of targets) {
    let said = 0;
    // It may end with an error after it has told what it found.
    const isDone = unlessCorrupt(() => {
      connection.each<Record<string, string>>(`PRAGMA integrity_check${target}`, row => {
        const words = Object.values(row)[0]!.trim();
        if (words === 'ok') return;
        for (const line of words.split('\n')) if (!line.startsWith('***')) complain(`SQLite: ${line}`);
        said++;
      });
      return true;
    });
    if (isDone === null && said === 0) complain('SQLite cannot check the pages of the file');
  }
}

/** Gives back how many events the counter says there are. */
function checkCounters(connection: Connection, complain: Complain): number {
  const upTo = lastPosition(connection);
  const readers = unlessCorrupt(() => readPositions(connection));
  if (readers === null) complain('the positions of the readers cannot be read');
  for (const [reader, positions] of readers ?? [])
    for (const [topic, position] of positions)
      if (position > upTo) complain(`reader ${reader} has passed ${position} of ${topic}, which was never given out`);
  const state = unlessCorrupt(() => connection.one<{ last: number; events: number }>('SELECT last, events FROM state'));
  if (state === null) {
    complain('the counters cannot be read');
    return 0;
  }
  const { last, events } = state;
  if (upTo > last) complain(`the last position given out is said to be ${last}, and there is a row at ${upTo}`);
  const glance = fetchHead(connection);
  let found = 0;
  for (const seq of walkPositions(connection, { upTo, onGap: () => {} }))
    found += unlessCorrupt(() => glance(seq))?.count ?? 0;
  if (found < events) complain(`${events - found} events are counted that lie in no row: lost with their pages`);
  if (found > events) complain(`${found - events} events lie in rows and are not counted`);
  return events;
}

function checkRow(row: Row, complain: Complain): void {
  const wrong = faultOf(row);
  if (wrong !== null) complain(`row ${row.seq} (${row.topic}, ${row.count} events): ${wrong}`);
}

function faultOf(row: Row): string | null {
  if (!isHeadIntact(row)) return 'its address does not match its checksum';
  const lines = examine(row);
  const proven = lines.filter(({ record }) => record !== null).length;
  if (!isBodyIntact(row)) return `${row.count - proven} events do not match their checksums`;
  if (proven < row.count) return 'the checksums of its events are damaged, the events are not';
  return countKeys(row.keys) === row.count ? null : 'its keys are not as many as its events';
}

function countKeys(keys: string): number {
  try {
    return (JSON.parse(keys) as unknown[]).length;
  } catch {
    return -1;
  }
}

/** What lies there was told when it was set aside; here only that it can be read. */
function checkQuarantine(connection: Connection, complain: Complain): number {
  const sum = unlessCorrupt(
    () => connection.one<{ records: number }>('SELECT coalesce(sum(records), 0) AS records FROM quarantine')!.records,
  );
  if (sum === null) complain('the quarantine cannot be read');
  return sum ?? 0;
}
