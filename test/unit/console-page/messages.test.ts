// Server-sent events as the page reads them, however the network cuts them.

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { type Message, messagesIn } from '../../../src/console/page/messages.ts';
import { beatText, frameText, openingText } from '../../../src/tap/frame.ts';

function read(pieces: readonly string[]): Message[] {
  const found: Message[] = [];
  const parse = messagesIn(message => found.push(message));
  for (const piece of pieces) parse(piece);
  return found;
}

const told = [
  openingText('a-1', 2_000),
  frameText({ event: 'event', id: 'a-2', data: '{"body":"a: b\\n\\nc","url":"https://x/"}' }),
  beatText,
  frameText({ event: 'stats', id: 'a-3', data: '{}' }),
].join('');

test('what the server writes is read, cut anywhere', () => {
  const whole = read([told]);
  expect(whole.filter(({ data }) => data !== '')).toEqual([
    { event: 'event', id: 'a-2', data: '{"body":"a: b\\n\\nc","url":"https://x/"}' },
    { event: 'stats', id: 'a-3', data: '{}' },
  ]);
  expect(whole[0]?.id).toBe('a-1');
  fc.assert(
    fc.property(fc.array(fc.nat(told.length)), cuts => {
      const borders = [0, ...cuts.toSorted((a, b) => a - b), told.length];
      expect(read(borders.slice(1).map((to, at) => told.slice(borders[at], to)))).toEqual(whole);
    }),
  );
});

test('half a message is none, and one without an end is not kept for ever', () => {
  expect(read(['event: event\nid: 1\ndata: {'])).toEqual([]);
  const endless = read([...Array.from({ length: 30 }, () => 'x'.repeat(50_000)), `\n\n${told}`]);
  expect(endless.at(-1)).toEqual({ event: 'stats', id: 'a-3', data: '{}' });
});
