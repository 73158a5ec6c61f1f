// A program's screen as a terminal of 80 columns was sent it, from the first byte to when it has drawn itself some times.

import { binary } from '../../test/support/ugc.ts';
import { eventually } from '../../test/support/until.ts';

export interface TerminalSize {
  readonly columns?: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
}

const frameEnd = '\u001b[?2026l';
const framesWanted = 6;

/** Sixth frame: rates are known by then. */
export async function photograph(
  args: readonly string[],
  { columns = 80, rows, env = {} }: TerminalSize,
): Promise<string> {
  let seen = '';
  const child = Bun.spawn([binary, ...args], {
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', ...env },
    terminal: {
      cols: columns,
      rows,
      data: (_, bytes) => {
        seen += Buffer.from(bytes).toString('latin1');
      },
    },
  });
  const isDrawn = () => seen.split(frameEnd).length > framesWanted;
  await eventually(isDrawn, { what: `${framesWanted} frames of ugc ${args[0]}` });
  const drawn = seen.slice(0, seen.lastIndexOf(frameEnd) + frameEnd.length);
  child.terminal!.write('q');
  await child.exited;
  return Buffer.from(drawn, 'latin1').toString('utf8');
}
