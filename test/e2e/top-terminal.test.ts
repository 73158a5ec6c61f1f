// The terminal of `ugc top`: drawn anew at once when it becomes narrower or wider, and given back, cursor and keys too,
// when it is told to end by a signal.

import { expect, test } from 'bun:test';
import { stripVTControlCharacters } from 'node:util';
import { binary, eventually } from '../support/ugc.ts';

/** Of an instance that is away: nothing is asked of it but to be shown. */
function top(flags: readonly string[] = []) {
  let seen = '';
  const child = Bun.spawn([binary, 'top', '--url=http://127.0.0.1:1', ...flags], {
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color' },
    terminal: {
      cols: 80,
      rows: 24,
      data: (_, bytes) => {
        seen += Buffer.from(bytes).toString();
      },
    },
  });
  const frames = (): string[] => seen.split('\u001b[?2026h').slice(1).map(stripVTControlCharacters);
  return { child, frames, seen: () => seen };
}

const widest = (frame: string): number => Math.max(...frame.split(/[\r\n]+/).map(line => Bun.stringWidth(line)));

test('another size is drawn at once, not at the next look', async () => {
  const { child, frames } = top(['--interval=3600']);
  await eventually(() => frames().some(frame => frame.includes('away')), { what: 'the first frame' });
  const [before] = [frames().length];
  child.terminal!.resize(44, 10);
  await eventually(() => frames().length > before, { what: 'a frame of the new size' });
  const narrow = frames().at(-1)!;
  expect(widest(narrow)).toBeLessThanOrEqual(44);
  expect(narrow.split('\n').length).toBeLessThanOrEqual(10);
  child.terminal!.write('q');
  expect(await child.exited).toBe(0);
}, 60_000);

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s gives the terminal back',
  async signal => {
    const { child, frames, seen } = top();
    await eventually(() => frames().some(frame => frame.includes('away')), { what: 'the first frame' });
    child.kill(signal);
    await child.exited;
    expect(seen().trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  },
  60_000,
);
