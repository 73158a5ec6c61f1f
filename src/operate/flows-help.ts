// What `ugc help flows` prints.

import { flagsHelp } from './arguments.ts';
import { flowsFlags } from './flows.ts';

export const flowsHelp = `ugc flows [ls] | pause|resume|drain <flow> [--flag=…]

What is moved from one place to the next, how fast, how far behind and by whom; and to stop one of them for a while. Give it
the settings the instances have. Events go on being taken whatever is paused: they wait where they lie.

  tables    the log → ClickHouse (role etl)           tables:<type>    one event type of it
  archive   the log → cold files (role archive)       archive:<type>   one event type of it
  content   outbox of the content store → the log     drain            disk buffer → the broker, of each ingest

With Kafka a wish counts for every process of the cluster, kept in a compacted topic (ugc.flow-control); else for those on
the data folder. It holds until the next one, across restarts.

  ugc flows ls
      A line a flow. Works with no instance running: then what is wished, and what Kafka knows.
${flagsHelp(flowsFlags.ls)}

  ugc flows pause <flow>
      Nothing more of it is read; what was read before is finished.
${flagsHelp(flowsFlags.pause)}

  ugc flows drain <flow>
      It goes on until nothing is left, then it is paused.
${flagsHelp(flowsFlags.drain)}

  ugc flows resume <flow>
      It goes on where it was.
${flagsHelp(flowsFlags.resume)}

  ugc flows pause tables --why="ClickHouse is upgraded"
  ugc flows drain tables --why="moving to another cluster" --wait-seconds=600
  ugc flows --url=http://10.0.0.1:8080,http://10.0.0.2:8080
  ugc flows resume tables`;
