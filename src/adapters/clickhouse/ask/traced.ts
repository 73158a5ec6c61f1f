// All that the tables hold of one event: its row as readers see it, how often it is physically there, and its dead letters,
// whatever became of them.

import type { EventLetter, EventRow, TracedRow, TracedTables } from '../../../ports/event-tables.ts';
import type { FoundLetter } from '../../../ports/letters.ts';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { rowsTable, tableName } from '../schema/tables.ts';
import { type EventTablesOptions, eventTablesIn } from './event-tables.ts';
import { lettersIn } from './letters.ts';

export function tracedIn(options: EventTablesOptions): TracedTables {
  const { client, database } = options;
  const events = eventTablesIn(options);
  return {
    async trace(id, signal) {
      const found = await events.find([id], signal);
      const asking = { id, database, client: client(), signal };
      const [rows, letters] = await Promise.all([
        Promise.all(found.filter(isRow).map(row => rowOf(row, asking))),
        Promise.all(found.filter(event => !isRow(event)).map(letter => letterOf(letter as EventLetter, asking))),
      ]);
      return { rows, letters: letters.flat() };
    },
  };
}

const isRow = (event: EventRow | EventLetter): event is EventRow => 'receivedAt' in event;

interface Asking {
  readonly id: string;
  readonly database: string;
  readonly client: ClickhouseClient;
  readonly signal: AbortSignal;
}

async function rowOf({ type, receivedAt }: EventRow, { id, database, client, signal }: Asking): Promise<TracedRow> {
  const read = async (query: string): Promise<Readonly<Record<string, unknown>> | undefined> => {
    try {
      return (await client.read<Record<string, unknown>>(query, { params: { id }, signal }))[0];
    } catch (cause) {
      throw sinkError(cause, `looking for ${id}`);
    }
  };
  const where = 'WHERE event_id = {id:UUID}';
  const row = await read(`SELECT * FROM ${tableName(database, type)} ${where}`);
  const counted = await read(
    `SELECT toUInt32(count()) AS copies FROM ${tableName(database, rowsTable(type))} ${where}`,
  );
  return {
    type,
    table: `${database}.${type}`,
    row: row ?? {},
    copies: Number(counted?.copies ?? 0),
    receivedAtMs: Date.parse(receivedAt),
  };
}

const letterOf = (letter: EventLetter, { database, client }: Asking): Promise<readonly FoundLetter[]> =>
  lettersIn(client, database).find({
    places: [{ ...letter, position: Number(letter.position) }],
    state: 'any',
    limit: 1,
  });
