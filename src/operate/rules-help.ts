// What `ugc help rules` prints.

import { flagsHelp } from './arguments.ts';
import { rulesFlags } from './rules.ts';

export const rulesHelp = `ugc rules add|ls|rm [--flag=…] [--data-dir=… | --rules-path=…]

Rules on events that were judged good, for a client gone mad: the first that fits an event says what becomes of it, in every
running instance within a second. Its sender is told "dropped" with a success, so that it does not try again; what rules took
is counted by rule (ugc_ruled_total) and stands in ugc reconcile.

  ugc rules add drop|sample|divert
      drop     is not stored
      sample   keeps a share of the users, always the same ones, and drops the others
      divert   goes to a topic of its own, which no etl reads; needs a broker
${flagsHelp(rulesFlags.add)}

  ugc rules ls
      In the order in which they are asked.
${flagsHelp(rulesFlags.ls)}

  ugc rules rm <id>
      It holds no more.
${flagsHelp(rulesFlags.rm)}

  ugc rules add drop --key=shop --event-type=click --until=2026-12-01T06:00Z --why="loop in release 41"
  ugc rules add sample --event-type=film_progress --share=0.1
  ugc rules add divert --address=192.0.2.0/24 --topic=ugc.suspect`;
