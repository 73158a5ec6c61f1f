// `ugc buffer forget <reader>`: a reader that no process is any more holds every row for ever. This removes it, and
// gives back the space it held.
//
// Nothing in the file says which process reads under a name. So a reader that an instance of these settings has is not
// forgotten while a process has the file open; and should one read on under the name all the same, its next commit
// registers it again.

import type { BufferRepair } from '../ports/buffer-file.ts';
import type { Exit } from './arguments.ts';
import { count, countOf, progressOf, say, writeOut } from './output.ts';

export interface ForgetOptions {
  readonly reader: string;
  readonly path: string;
  readonly yes: boolean;
  readonly json: boolean;
  /** A process has the file open. */
  readonly isLive: boolean;
  /** An instance of these settings has a reader of this name. */
  readonly isOurs: boolean;
}

const restMs = 3;

export async function forget(file: BufferRepair, options: ForgetOptions): Promise<Exit> {
  const { reader, path, yes, json, isLive, isOurs } = options;
  const backlog = file.backlogOf(reader);
  if (backlog === null) {
    const { readers } = file.stat();
    const names = readers.length === 0 ? 'none' : readers.map(one => one.reader).join(', ');
    say(`ugc: there is no reader ${reader} in ${path}; readers: ${names}`);
    return 2;
  }
  const { behind, lost, otherReaders } = backlog;
  const notPassed = `${reader} has not passed ${countOf(behind, 'event')}, of which ${count(lost)} would be deleted`;
  const keeps =
    otherReaders.length === 0 ? 'nothing is deleted while there is no reader' : `others: ${otherReaders.join(', ')}`;
  const refuse = (why: string): Exit => {
    if (json) writeOut(`${JSON.stringify({ reader, forgotten: false, behind, lost, why })}\n`);
    say(`ugc: ${why}`);
    return 1;
  };
  if (isLive && isOurs)
    return refuse(
      `a process has the buffer open, and an instance of these settings reads as ${reader}: stop it first, or give the ` +
        'settings it has (ugc buffer forget with the same environment)',
    );
  if (behind > 0 && !yes) return refuse(`${notPassed} (${keeps}); --yes gives them up`);

  file.forget(reader);
  const progress = progressOf('freed', 'events');
  let step = file.sweep();
  const before = step.events;
  while (step.swept === 'more') {
    progress.at(Math.max(0, before - step.events), lost);
    await Bun.sleep(restMs);
    step = file.sweep();
  }
  progress.end();
  if (json) writeOut(`${JSON.stringify({ reader, forgotten: true, behind, lost, events: step.events })}\n`);
  else {
    writeOut(
      `forgot ${reader}; ${countOf(behind, 'event')} it had not passed, ${countOf(step.events, 'event')} in the log\n`,
    );
    if (otherReaders.length === 0) writeOut('no reader is left: nothing is deleted until one registers\n');
    if (isLive) writeOut(`should a process still read as ${reader}, its next commit registers it again\n`);
  }
  if (step.swept === 'failed') say('its space could not be freed now; a running instance goes on with that');
  return 0;
}
