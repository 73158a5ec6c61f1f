// What `ugc help` prints. The table of settings comes from config.ts alone.

import { configTable } from '../config/read.ts';
import { archiveHelp } from './archive-help.ts';
import { flagsHelp } from './arguments.ts';
import { bufferHelp } from './buffer-help.ts';
import { capacityHelp } from './capacity-help.ts';
import { rebuildFlags } from './content-rebuild.ts';
import { deadFlags } from './dead.ts';
import { doctorFlags } from './doctor.ts';
import { exportPersonFlags } from './export-person.ts';
import { flowsHelp } from './flows-help.ts';
import { forgetFlags } from './forget.ts';
import { importHelp } from './import-help.ts';
import { keysFlags } from './keys.ts';
import { loadHelp } from './load-help.ts';
import { reconcileFlags } from './reconcile.ts';
import { rulesHelp } from './rules-help.ts';
import { traceFlags } from './trace.ts';
import { upHelp } from './up-help.ts';
import { tapHelp, topHelp } from './watch-help.ts';

export const generalHelp =
  (): string => `ugc takes user events over HTTP and gets each accepted one into ClickHouse as exactly one row.

Usage
  ugc [--setting=value …]             start the server; with no settings: everything, embedded, in ./ugc-data
  ugc --role=ingest                   only take events (into the disk buffer)
  ugc --role=etl                      only move events into ClickHouse
  ugc query "SELECT …" [--json]       read the tables of a running or stopped instance
  ugc buffer <command>                look at the disk buffer, save it, repair it: ugc help buffer
  ugc schema ls|show|ddl|hive|types|docs|diff|check [type …]
                                      what events there are, and all that is made from their definitions
  ugc keys <command>                  who may send, by API key: ugc help keys
  ugc rules <command>                 what is taken and not wanted: dropped, thinned out, sent elsewhere: ugc help rules
  ugc dead <command>                  look at records that could not become rows, try them again: ugc help dead
  ugc doctor [--before-start]         is all well, and if not: what it is, what follows, what to do
  ugc up                              each role as a process of its own, kept running
  ugc tap [--type=… --outcome=…]      events as they pass
  ugc top [--url=…]                   how instances are: rates, times, lag, what is not well
  ugc flows ls|pause|resume|drain     what is moved, how far behind, by whom; to stop it for a while: ugc help flows
  ugc trace <event_id>                everything that can be found out about one event
  ugc reconcile [--from=… --to=…]     hold what was accepted against the tables
  ugc reconcile --content             hold likes, bookmarks and reviews against the tables
  ugc content rebuild                 make the viewing history again from the tables
  ugc archive ls|verify|restore|compact   the cold files: what there is, whether it is whole, days brought back: ugc help archive
  ugc import <files> --preset=…       events of another system, out of its exports: ugc help import
  ugc load --rate=…                   send what people do, at a rate, and hold what was accepted against the tables
  ugc capacity --preset=…             what so many events take, by formula
  ugc forget --user-id=…              delete what there is of a person
  ugc export-person --user-id=…       all there is of a person, as JSON lines
  ugc help [config | query | buffer | keys | rules | dead | doctor | tap | top | trace | reconcile | content | archive |
            import | load | up | flows | capacity | forget | export-person | schema]
                                      this, every setting, or one command
  ugc --version

Examples
  ugc --port=9000 --data-dir=/var/lib/ugc
  curl localhost:8080/v1/events -d '{"event":{"event_type":"click","timestamp":"2026-11-21T12:00:00Z","country":"US","device":"mobile","element":"play","page_url":"https://example.com/"}}'
  ugc query "SELECT * FROM click"

Exit codes: 0 done, 1 failed, 2 wrong use.`;

const topics: Readonly<Record<string, string>> = {
  query: `ugc query "SELECT …" [--json] [--data-dir=…]

Runs one query and prints the rows as a table, or with --json as one JSON object a line. A running instance is asked
through its ClickHouse HTTP port; with none running the tables in the data folder are opened directly. With
UGC_CLICKHOUSE_URL set, that server is asked. A FORMAT of your own in the query is kept.

  ugc query "SELECT event_type, count() FROM events GROUP BY event_type"
  ugc query "SELECT * FROM click WHERE timestamp > now() - INTERVAL 1 HOUR" --json
  echo "SELECT count() FROM events" | ugc query -

A query that begins with an SQL comment is a query; one that looks like a flag goes behind --.`,

  reconcile: `ugc reconcile [--from=…] [--to=…] [--content] [--json] [--data-dir=…]

Holds the ledger, which ingest writes with UGC_LEDGER=true, against the tables, by type and minute:

  rows = accepted − repeated − waiting − dead − missing + failed + unledgered

  repeated    taken again: the row is of the first time      waiting     in the disk buffer
  dead        in dead_letters, see ugc dead                   missing     nowhere, or still in the broker
  failed      rows whose sender was told of a failure        unledgered  rows no ledger knows: other producers, instances
                                                             without one, the last seconds of a killed one

Exit code 1 when something is missing or a ledger has a gap; then the minutes are named, and some of the events.

With --content the content store is held against the tables instead, whether or not there is a ledger: for each like, bookmark
and review, what it is and the last event of it (source ugc:content, by its revision).

  waiting     its event is in the outbox or the disk buffer
  missing     no row tells of it                             behind      the rows tell of an earlier change
  ahead       the rows tell of one that the store has not    other       of the same change, something else

What differs is looked at again for --wait-seconds: it may be on its way. Exit code 1 when something still differs; some of it
is named.

${flagsHelp(reconcileFlags)}`,

  content: `ugc content rebuild [--user-id=…] [--json] [--data-dir=…]

Makes the viewing history of the content store again from the exact tables: film_opened, film_progress, film_closed,
film_watched and what users saved. For a store that was lost, or a history that was not followed for a time. Give it the
settings the instance has. It only adds: doing it twice, or beside a running instance, changes nothing more. What a user took
from their history stays taken, and likes, reviews and bookmarks are not touched.

${flagsHelp(rebuildFlags)}`,

  archive: archiveHelp,

  import: importHelp,

  load: loadHelp,

  capacity: capacityHelp,

  up: upHelp,

  flows: flowsHelp,

  tap: tapHelp,

  top: topHelp,

  trace: `ugc trace <event_id> [--json] [--since=…] [--data-dir=…]

Looks for one event everywhere: its row and how often it is physically there, dead letters with their bytes, the disk
buffer and its quarantine, and in Kafka or Pulsar topic, partition and place. Give it the settings the instance has.
A place that cannot be asked is named with the reason. Exit code 1 when nothing was found anywhere.

Kafka has no index, so records are read from the row's received_at on, without a row from the time in a UUIDv7, else from
the beginning.

${flagsHelp(traceFlags)}

  ugc trace 0193a0f0-0000-7000-8000-000000000001 --json`,

  keys: `ugc keys add|ls|revoke|rotate [--flag=…] [--data-dir=… | --keys-path=…]

API keys, for UGC_AUTH=keys. Only their hashes are kept: a key is printed once, when it is made. What is changed here counts
in a running instance within a second. A public key stands in web pages and may only send events; a secret one belongs on
servers.

  ugc keys add <name>
      Makes a key; the name becomes the source of its events.
${flagsHelp(keysFlags.add)}

  ugc keys ls
      Those that count.
${flagsHelp(keysFlags.ls)}

  ugc keys revoke <id or name>
      It counts no more.
${flagsHelp(keysFlags.revoke)}

  ugc keys rotate <id or name>
      A new key that may what the old one may.
${flagsHelp(keysFlags.rotate)}

  ugc keys add shop --origins=https://shop.example,https://*.shop.example
  ugc keys add back-end --kind=secret --scopes=events:write,events:read
  ugc keys rotate shop --overlap-seconds=604800`,

  rules: rulesHelp,

  dead: `ugc dead ls|show|replay|dismiss [--flag=…] [--data-dir=…]

Records of the log that could not become rows, with their bytes, where they came from and why. With UGC_CLICKHOUSE_URL
set that server is asked, else the running instance of the data folder, else the folder itself. Give these commands the
settings the instance has.

  ugc dead ls
      The open ones, and how many there are of each reason.
${flagsHelp(deadFlags.ls)}

  ugc dead show <place>
      One of them, whole. Its place is topic/partition/position, as ls prints it.
${flagsHelp(deadFlags.show)}

  ugc dead replay [<place> …]
      Judges the open ones again and inserts those that fit by now; they are no longer open then. Doing it twice, or
      beside a running instance, makes no second row.
${flagsHelp(deadFlags.replay)}

  ugc dead dismiss [<place> …]
      Those that will never be repaired: they are kept, but no longer open. Takes places or at least one of topic, reason
      and time. No row is touched, and doing it twice changes nothing. A record that dies again, because the log is read
      again, is open again. Exit code 1 when a place holds no letter.
${flagsHelp(deadFlags.dismiss)}

  ugc dead ls --reason=unknown_type
  ugc dead replay --topic=ugc.click --dry-run
  ugc dead dismiss --reason=tombstone --before=2026-11-01T00:00Z --why="compaction, nothing lost"
  ugc dead dismiss ugc.click/0/4711 --undo`,

  forget: `ugc forget --user-id=… [--anonymous-id=…] [--keep-reviews] [--dry-run] [--yes] [--json] [--data-dir=…]

Deletes what there is of a person: from the content store, from every table of events, the repetitions included, and the
dead letters that hold it. Waits until ClickHouse has written its parts anew, counts again, and prints a receipt: what was
deleted, what remains where ugc deletes nothing (the broker until its retention, backups) and what could not be reached. Give it
the settings the instance has. Exit code 1 while anything is left where rows are read: repeating it goes on.

${flagsHelp(forgetFlags)}

  ugc forget --user-id=956939f6-7a98-4bf1-9949-500e5dd20fa0 --dry-run
  ugc forget --user-id=956939f6-7a98-4bf1-9949-500e5dd20fa0 --anonymous-id=a-1,a-2 --yes --json > receipt.json`,

  doctor: `ugc doctor [--before-start] [--json] [the settings the instance has]

Looks at settings, disk, limits, clock, certificates, broker, ClickHouse, the running instance, buffer, etl, content and
archive, all at once and within ten seconds whoever does not answer. For each: ✓ well, ! doubtful, ✗ wrong, what was
seen, what follows, the next step, and the page of the docs. Nothing is changed: no topic, table, position or lock. Give it
the settings the instance has (the same environment or --env-file). Exit code 1 when something is wrong; what is
doubtful is no failure.

${flagsHelp(doctorFlags)}

  ugc doctor
  ugc doctor --env-file=/etc/ugc.env --json | jq -r '.categories[].checks[] | select(.result == "error") | .hint'
  ugc doctor --before-start && exec ugc`,

  'export-person': `ugc export-person --user-id=… [--anonymous-id=…] [--output=…] [--data-dir=…]

All there is of a person, a JSON object a line: likes, reviews, bookmarks and places of the content store, the rows of every
table of events, dead letters. Exit code 1 when something was left out; stderr says what.

${flagsHelp(exportPersonFlags)}

  ugc export-person --user-id=956939f6-7a98-4bf1-9949-500e5dd20fa0 --output=person.ndjson`,

  buffer: bufferHelp,

  schema: `ugc schema <word> [type …] [--json] [--format=parquet|csv]

Prints what follows from the definitions of the event types, of all or of those named (aliases will do).

  ls      every type in a line                    types   TypeScript types of the events, as clients write them
  show    a type: fields, columns, an example     docs    Markdown: a page of each
  ddl     the ClickHouse tables and views         hive    Hive tables over the cold files (--format)
  check   exit code 1 and words, when a definition breaks what was published, or the tables of ClickHouse do not fit it
  diff    every difference from what was published and from those tables; exit code 1 when there is one

check and diff look at UGC_CLICKHOUSE_URL, else at the instance running on --data-dir, else at the tables in it.

  ugc schema show quality_change
  ugc schema types > events.d.ts
  ugc schema hive | beeline -u jdbc:hive2://… --hivevar location=hdfs://…/archive -f /dev/stdin
  ugc schema hive click --format=csv`,
};

export const commandHelp = (name: string): string | undefined => topics[name];

export function configHelp(): string {
  const rows = configTable();
  const width = Math.max(...rows.map(row => row.flag.length));
  const lines = rows.map(row => {
    const default_ = row.default === '' ? '' : ` [${row.default}]`;
    return `  ${row.flag.padEnd(width)}  ${row.help}${default_}\n  ${''.padEnd(width)}  ${row.env} · ${row.takes}`;
  });
  return `Settings, as --flag=value, in the environment, or in a file named by --env-file (flag beats environment beats file).
A secret can be given as the path of a file that holds it: UGC_…_FILE.

${lines.join('\n')}`;
}

/** Every page of help in Markdown. */
export const commandsMarkdown = (): string =>
  [['ugc', generalHelp()], ...Object.entries(topics)]
    .map(([name, text]) => `## ${name}\n\n\`\`\`\n${text}\n\`\`\``)
    .join('\n\n');

/** The same table in Markdown. */
export function configMarkdown(): string {
  const rows = configTable().map(({ env, flag, takes, default: value, help }) => {
    const cells = [`\`${env}\``, `\`${flag}\``, value === '' ? '' : `\`${value}\``, takes.replaceAll('|', '\\|'), help];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| Environment | Flag | Default | Takes | Meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}
