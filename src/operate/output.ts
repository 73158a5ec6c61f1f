// What commands write: data to stdout, in step with whoever reads it, and words to stderr. Nobody else writes to either.
// - Written by the descriptor, so that a file is written where it stands: what was there before it stays, appended to or not.
// - Whoever read it may have ended (`| head`): then the command ends too, at once and without a word (main). A device that
//   takes no more is told in words.

import { readSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** stdout took no more. Nobody catches it but main. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
  /** Whoever read it has ended: there is nobody to be told. */
  readonly isClosed: boolean;

  constructor(cause: Error & { readonly code?: string }) {
    const why = cause.code === 'ENOSPC' ? 'no space left on the device' : cause.message;
    super(`stdout cannot be written: ${why}`, { cause });
    this.isClosed = cause.code === 'EPIPE';
  }
}

/** Waits until the reader of a pipe has taken it, so that nothing piles up here. Throws OutputError. */
export function writeOut(data: string | Uint8Array): void {
  try {
    writeAll(1, data);
  } catch (error) {
    throw new OutputError(error as Error);
  }
}

export const say = (line: string): void => sayPiece(`${line}\n`);

/** Nobody is left to be told that stderr takes nothing. */
function sayPiece(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // as above
  }
}

function writeAll(descriptor: 1 | 2, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
      Bun.sleepSync(1);
    }
  }
}

/** Asks on a terminal; anything but `yes`, and no terminal, is no. */
export function confirmed(question: string): boolean {
  if (!isatty(0) || !isatty(2)) return false;
  sayPiece(`${plain(question)} (yes/no) `);
  const answer = Buffer.alloc(64);
  // While it waits nobody here could be told of a signal: Ctrl-C ends it as if nobody listened.
  const listeners = process.listeners('SIGINT');
  process.removeAllListeners('SIGINT');
  const read = readSync(0, answer);
  for (const listener of listeners) process.on('SIGINT', listener);
  return answer.toString('utf8', 0, read).trim().toLowerCase() === 'yes';
}

/** Columns of the terminal behind stdout; null where there is none. */
export const columnsOut = (): number | null => (isatty(1) ? process.stdout.columns || 80 : null);

const lineEveryMs = { terminal: 100, pipe: 5_000 };

export interface Progress {
  /** `of` 0: it is not known. */
  at(done: number, of: number): void;
  /** Clears the line on a terminal. */
  end(): void;
}

/**
 * `checked 12 000 of 40 000 events (30%), 90 000/s, 1 s left`: one line that changes on a terminal, else a line now and
 * then.
 */
export function progressOf(verb: string, unit: string): Progress {
  const isTerminal = isatty(2);
  let startedAt: number | null = null;
  let saidAt = 0;
  return {
    at(done, of) {
      const now = performance.now();
      if (startedAt === null) [startedAt, saidAt] = [now, now];
      if (now - saidAt < (isTerminal ? lineEveryMs.terminal : lineEveryMs.pipe)) return;
      saidAt = now;
      const perSecond = (done * 1000) / (now - startedAt);
      const share = of > 0 ? ` of ${count(of)} ${unit} (${Math.min(100, Math.floor((100 * done) / of))}%)` : ` ${unit}`;
      const left = of > done && perSecond > 0 ? `, ${duration(((of - done) / perSecond) * 1000)} left` : '';
      const line = `${verb} ${count(done)}${share}, ${count(Math.round(perSecond))}/s${left}`;
      sayPiece(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
    },
    end() {
      if (isTerminal) sayPiece('\r\u001b[K');
    },
  };
}

/** Columns as wide as their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows.map(row => row.map(cell => (typeof cell === 'number' ? count(cell) : plain(cell))))];
  const widths = head.map((_, at) => Math.max(...cells.map(row => Bun.stringWidth(row[at]!))));
  const isNumber = head.map((_, at) => rows.every(row => typeof row[at] === 'number'));
  return cells
    .map(row => {
      const padded = row.map((cell, at) => {
        const space = ' '.repeat(widths[at]! - Bun.stringWidth(cell));
        return isNumber[at] ? space + cell : cell + space;
      });
      return `  ${padded.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** 12345 → 12 345 */
export const count = (number: number): string => String(number).replace(/\B(?=(\d{3})+$)/g, ' ');

/** `1 event`, `12 345 events` */
export const countOf = (number: number, noun: string): string => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

const byteUnits = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

export function size(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < byteUnits.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 || value >= 100 ? count(Math.round(value)) : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** 90 000 → 1 min 30 s */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return (first < 0 ? parts.slice(3) : parts.slice(first, first + 2)).map(([n, unit]) => `${n} ${unit}`).join(' ');
}

/** Bytes of a stranger on a terminal: no control characters, so nothing of it is obeyed. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd').toWellFormed();

/** Cut to so many columns, with an ellipsis where something is missing. */
export function cut(text: string, columns: number): string {
  if (text.length <= columns && Bun.stringWidth(text) <= columns) return text;
  let kept = text.slice(0, Math.max(0, columns - 1)).toWellFormed();
  while (kept !== '' && Bun.stringWidth(kept) > columns - 1) kept = kept.slice(0, -1).toWellFormed();
  return `${kept}…`;
}
