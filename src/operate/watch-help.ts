// What `ugc help tap` and `ugc help top` print.

import { flagsHelp } from './arguments.ts';
import { tapFlags } from './tap.ts';
import { topFlags } from './top.ts';

const whose = `Where the instance asks for a key or a token, it is UGC_ADMIN_KEY (or UGC_ADMIN_KEY_FILE), and has the scope admin. An
instance that is away is tried again.`;

export const tapHelp = `ugc tap [--url=…] [--type=…] [--outcome=…] [--key=…] [--user=…] [--format=json|logfmt|text]

Events as they pass, of a running instance or of several, on stdout; what is left out is said on stderr. Nothing is held up
by it: events that are not read fast enough, or are more than --rate, are not shown, and counted. Values of fields that are
called like secrets are hidden, and of what was rejected only the shape is shown. Ends with Ctrl-C.

${flagsHelp(tapFlags)}

${whose}

  ugc tap
  ugc tap --outcome=rejected
  ugc tap --type='film_*' --user=956939f6-7a98-4bf1-9949-500e5dd20fa0 --format=json | jq .body
  ugc tap --url=http://10.0.0.1:8080,http://10.0.0.2:8080 --sample=0.01 --limit=100`;

export const topHelp = `ugc top [--url=…] [--interval=1] [--json]

How instances are, a line each and together: events a second in, out (rows) and rejected, the slowest answer and ack of a
hundred, how far ClickHouse is behind, what waits in the disk buffer; inserts, dead letters and what is not well in words;
then by type. On a terminal a screen that changes, q ends it; else lines. Every role tells it, also etl alone.

${flagsHelp(topFlags)}

${whose}

  ugc top
  ugc top --url=http://10.0.0.1:8080 --url=http://10.0.0.2:8080
  ugc top --json --limit=1 | jq .together`;
