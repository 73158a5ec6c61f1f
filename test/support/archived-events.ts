// The events in an archive's files, by what the manifest says of them: decoded as `restore` would.

import { catalogue } from '../../schemas/catalogue.ts';
import { ledgerTable } from '../../schemas/ledger.ts';
import { rejectionsTable } from '../../schemas/rejections.ts';
import { tableOf } from '../../schemas/table.ts';
import { csvFormat } from '../../src/adapters/csv/format.ts';
import { parquetFormat } from '../../src/adapters/parquet/format.ts';
import { deadTable } from '../../src/archive/dead.ts';
import type { RowFormat } from '../../src/ports/row-format.ts';
import type { Archived } from './archive-oracle.ts';

export type ArchivedEvent = Readonly<Record<string, unknown>> & {
  readonly event_type: string;
  readonly event_id?: string;
};

const tables = new Map(
  [...catalogue.types.map(tableOf), ledgerTable, rejectionsTable, deadTable].map(table => [table.type, table]),
);
const formats: Readonly<Record<string, RowFormat>> = {
  parquet: parquetFormat({ compression: 'snappy' }),
  csv: csvFormat(),
};

export async function eventsIn({ files }: Archived, format: string): Promise<ArchivedEvent[]> {
  const events: ArchivedEvent[] = [];
  for (const file of files) {
    if (file.format !== format) continue;
    const before = events.length;
    for await (const chunk of formats[format]!.decode(tables.get(file.type)!, file.bytes))
      for (const line of Buffer.from(chunk).toString().split('\n'))
        if (line !== '') events.push(JSON.parse(line) as ArchivedEvent);
    if (events.length - before !== file.rows) throw new Error(`a file of ${file.type} has not the rows it says`);
  }
  return events;
}
