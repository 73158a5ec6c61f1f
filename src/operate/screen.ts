// A whole terminal for a while: the alternate screen, drawn in place, given back as it was, whatever ends the process but
// SIGKILL. Sequences are those of ECMA-48 and xterm (ctlseqs): 1049 the alternate screen, 25 the cursor, 2026 one frame at a time.

import { isatty } from 'node:tty';
import { writeOut } from './output.ts';

export interface Screen {
  /** `linesOf` is told how much room there is. */
  draw(linesOf: (size: { readonly columns: number; readonly rows: number }) => readonly string[]): void;
  /** Idempotent. */
  close(): void;
}

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const [frameStart, frameEnd] = ['\u001b[?2026h\u001b[H', '\u001b[J\u001b[?2026l'];
const lineEnd = '\u001b[K';

export interface ScreenOptions {
  /** q, Escape or Ctrl-C was pressed. */
  readonly onQuit: () => void;
  /** There is more or less room. */
  readonly onResize: () => void;
}

export function openScreen({ onQuit, onResize }: ScreenOptions): Screen {
  const { stdin, stdout } = process;
  const hasKeys = isatty(0);
  let isClosed = false;

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    if (hasKeys) {
      stdin.setRawMode(false);
      stdin.pause();
    }
    stdout.off('resize', onResize);
    process.off('SIGHUP', onQuit);
    process.off('exit', close);
    writeOut(leave);
  }

  function onKeys(keys: Buffer): void {
    const pressed = keys.toString('latin1');
    // An arrow key begins with Escape, too.
    if (pressed === 'q' || pressed === 'Q' || pressed === '\u001b' || pressed.includes('\u0003')) onQuit();
  }

  process.on('exit', close); // also after a bug: main says what it was, and ends with exit
  writeOut(enter);
  if (hasKeys) {
    stdin.setRawMode(true);
    stdin.on('data', onKeys);
    stdin.resume();
  }
  stdout.on('resize', onResize);
  process.on('SIGHUP', onQuit); // by itself it would end us with the screen as it is

  return {
    draw(linesOf) {
      if (isClosed) return;
      const lines = linesOf({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
      writeOut(frameStart + lines.map(line => line + lineEnd).join('\r\n') + frameEnd);
    },
    close,
  };
}
