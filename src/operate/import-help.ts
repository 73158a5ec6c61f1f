// What `ugc help import` prints.

import { flagsHelp } from './arguments.ts';
import { importFlags } from './import.ts';

export const importHelp = `ugc import <files | -> --preset=… | --mapping=… [--dry-run] [--rejected=…] [--json] [--data-dir=…]

Events of another system, out of its exports (NDJSON, CSV, Parquet; .gz and .zst by name), through the judge of the edge and
into the log. Their times are kept, however old; received_at is when they received them. An event_id is made of their id, or
of what the record says where it has none: importing twice makes no second row. What was imported goes to the end of the disk
buffer of the data folder, beside a running instance or on a stopped one, and on from there like everything; a quarter of the
buffer is left to those who send. Exit code 1 when a record was rejected or a file broke off.

${flagsHelp(importFlags)}

  ugc import events-*.jsonl.gz --preset=posthog --dry-run
  ugc import segment-logs/*.gz --preset=segment --rejected=rejected.ndjson
  ugc import --preset=snowplow --show-mapping > mapping.json
  zcat old.csv.gz | ugc import - --format=csv --mapping=mapping.json`;
