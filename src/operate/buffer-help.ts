// What `ugc help buffer` prints.

import { flagsHelp } from './arguments.ts';
import { bufferFlags } from './buffer.ts';

export const bufferHelp = `ugc buffer stat|inspect|verify|export|requeue|forget [--flag=…] [--data-dir=…]

The disk buffer in the data folder, beside a running instance or with none running. Nothing here makes an instance wait.
Give these commands the settings the instance has (the same environment or --env-file).

  ugc buffer stat
      How many events lie there, of which types, since when, which reader still has to pass them, what was set aside.
${flagsHelp(bufferFlags.stat)}

  ugc buffer inspect
      Records with position, type, key, received_at and body; with --json one object a line.
${flagsHelp(bufferFlags.inspect)}

  ugc buffer verify
      Checks every page, counter and checksum, changes nothing. Exit code 1 and what is wrong when something is.
      While it checks the pages of a large buffer the write-ahead log beside it can grow.
${flagsHelp(bufferFlags.verify)}

  ugc buffer export
      Every event as one line of JSON on stdout, the bytes any reader of the log gets. With exit code 1 something was left
      out, stderr says what.
${flagsHelp(bufferFlags.export)}

  ugc buffer requeue
      Puts what was set aside back at the end of the log, once its reason is gone. Those the broker refused go as they are;
      damaged ones only when --reason names their damage (body, head), and only if they still read as events.
${flagsHelp(bufferFlags.requeue)}

  ugc buffer forget <reader>
      Removes a reader nobody is any more, whose rows are kept for ever otherwise. (An instance does that by itself for
      etl once a broker is configured, and for drain once it no longer is.) A reader that an instance of these settings has
      is not forgotten while a process has the buffer open. Whoever reads on under the name is registered again by its
      next commit.
${flagsHelp(bufferFlags.forget)}

  ugc buffer stat --data-dir=/var/lib/ugc
  ugc buffer inspect --type=click --limit=5
  ugc buffer inspect --id=0193a0f0-0000-7000-8000-000000000001 --json
  ugc buffer export | gzip > events.ndjson.gz
  ugc buffer requeue --reason='the message is too large' --dry-run
  ugc buffer forget archive`;
