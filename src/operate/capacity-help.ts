// What `ugc help capacity` prints.

import { presets } from '../load/capacity.ts';
import { flagsHelp } from './arguments.ts';
import { capacityFlags } from './capacity.ts';

export const capacityHelp = `ugc capacity [--preset=…] [--events-per-day=… | --rate=…] [--peak-factor=…] [--measure] [--json]

What so many events take: cores of ingest, of etl and ClickHouse, partitions, disks, inserts, the disk buffer for an outage and
the network. Each number stands with its formula and with what that rests on: figures measured on one machine, or assumptions. With --measure what an event costs is measured here: the binary starts itself in a
temporary folder and is loaded.

${flagsHelp(capacityFlags)}

${Object.entries(presets)
  .map(([name, { about }]) => `  ${name.padEnd(20)}${about}`)
  .join('\n')}

  ugc capacity --preset=collection-system
  ugc capacity --preset=ugc-and-stat --measure
  ugc capacity --events-per-day=2500000 --peak-factor=10 --event-bytes=4096 --outage-hours=12
  ugc capacity --rate=20000 --batch=20 --retention-days=90 --json`;
