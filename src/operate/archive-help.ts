// What `ugc help archive` prints.

import { compactFlags } from './archive-compact.ts';
import { lsFlags } from './archive-ls.ts';
import { restoreFlags } from './archive-restore.ts';
import { verifyFlags } from './archive-verify.ts';
import { flagsHelp } from './arguments.ts';

export const archiveHelp = `ugc archive ls|verify|restore|compact [--from=YYYY-MM-DD] [--to=YYYY-MM-DD] [--type=…] [--json] [--archive-url=…]

The cold files that the role archive writes (UGC_ARCHIVE_URL). What the archive holds is what its manifest says; whatever else
lies in its folders is passed over. Days are UTC, by when the server took the events. Give it the settings the archive has.

  ugc archive ls
      By type and day: events, files, bytes.
${flagsHelp(lsFlags)}

  ugc archive verify
      Reads every file and holds it against the manifest, the manifest against itself, and each day against the tables:

        archived    records in the files                       events      how many different ones, where they were counted
        accepted    by the ledger, where there is one          rows        in the exact table
        missing     rows that no file has                      absent      archived events without a row

      With Kafka the log's positions, too. Exit code 1 when a file is damaged or not there, the manifest has a gap, a day that
      is over differs, or the log has deleted what was not archived.
${flagsHelp({ quick: verifyFlags.quick, filesOnly: verifyFlags.filesOnly })}

  ugc archive restore
      Brings days back into the exact tables, which are made where there are none, or into another database. What is there
      already stays one row, so it may be broken off and repeated. Aggregates are counted anew by themselves.
${flagsHelp({ database: restoreFlags.database, stdout: restoreFlags.stdout })}

  ugc archive compact
      Puts few files in the place of many small ones, by type, day and format; a day that is not over is left alone unless
      --to names it. Records stay as they are, and what was replaced is taken away by a run after its grace: run it daily.
      It may be broken off, or run twice at once. With UGC_HIVE_URL it tells Hive where the days lie.
${flagsHelp({ filesMin: compactFlags.filesMin, grace: compactFlags.grace, dryRun: compactFlags.dryRun })}

  ugc archive ls --archive-url=s3://events/ugc --type=click
  ugc archive verify --from=2026-11-01 --to=2026-11-30
  ugc archive compact --dry-run
  ugc archive restore --from=2026-11-01 --to=2026-11-02 --database=november
  ugc archive restore --type=ordering --stdout | gzip > orders.ndjson.gz`;
