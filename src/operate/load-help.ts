// What `ugc help load` prints.

import { flagsHelp } from './arguments.ts';
import { loadFlags } from './load-flags.ts';

export const loadHelp = `ugc load [--url=…] [--rate=…] [--duration=…] [--shape=…] [--verify] [--json] [--data-dir=…]

Loads an instance with what people do: visitors look at pages, search, register, watch films to some share, like and review them;
customers fill carts and order. Films and people are Zipf's; the same --seed sends the same events, under new ids.

A request is due when the schedule says so, whatever the server does, and its time runs from then: both that and the time from
when it was sent are told. What could not be sent by the end is counted. Nothing is sent twice: 429 and 503 are answers.

--into=broker leaves the edges out: each event is judged and stamped here as an edge does it and written to the broker of the
settings, so that etl can be loaded alone.

--verify holds every accepted event against the exact tables of the data folder or of UGC_CLICKHOUSE_URL: give it the settings
the instance has. Ctrl-C ends a run early, with its report. Exit code 1 when nothing was answered with success, or an accepted
event is missing or there twice.

${flagsHelp(loadFlags)}

  ugc load --rate=3000 --duration=60 --verify
  ugc load --shape=batch --rate=0 --duration=20
  ugc load --rate=20000 --steps=8 --duration=80
  ugc load --url=https://a.example,https://b.example --key=ugc_pk_… --shape=segment --batch=20 --gzip
  ugc load --rate=290 --event-bytes=4KiB --duration=60 --verify
  ugc load --into=broker --kafka-brokers=kafka:9092 --clickhouse-url=http://clickhouse:8123 --shape=batch --rate=0 --verify
  ugc load --rate=3000 --duration=600 --verify --report=run.html
  ugc load --bad-share=5% --duplicate-share=2% --clock-skew=30 --verify --json`;
