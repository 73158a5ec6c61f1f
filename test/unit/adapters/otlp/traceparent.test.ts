import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { newSpanId, newTraceId, readTraceparent, writeTraceparent } from '../../../../src/adapters/otlp/traceparent.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

test.each([
  [`00-${traceId}-${spanId}-01`, true],
  [`00-${traceId}-${spanId}-00`, false],
  [`00-${traceId}-${spanId}-03`, true],
  [`00-${traceId}-${spanId}-fe`, false],
  [`cc-${traceId}-${spanId}-01`, true],
  [`cc-${traceId}-${spanId}-01-what-the-future-will-be-like`, true],
])('%s is one', (text, isSampled) => {
  expect(readTraceparent(text)).toEqual({ traceId, spanId, isSampled });
});

test.each([
  ['', 'empty'],
  [`00-${traceId}-${spanId}-01-more`, 'version 00 has no more'],
  [`00-${traceId}-${spanId}-01 `, 'white space'],
  [`00-${traceId}-${spanId}-01\n`, 'a line break'],
  [`00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`, 'two headers'],
  [`00-${traceId}-${spanId}`, 'no flags'],
  [`00-${traceId}-${spanId}-1`, 'half a flag'],
  [`00-${traceId.toUpperCase()}-${spanId}-01`, 'capitals'],
  [`00-${traceId.slice(1)}-${spanId}-01`, 'a short id'],
  [`00-${'0'.repeat(32)}-${spanId}-01`, 'no trace'],
  [`00-${traceId}-${'0'.repeat(16)}-01`, 'no span'],
  [`ff-${traceId}-${spanId}-01`, 'the version that is none'],
  [`cc-${traceId}-${spanId}-01.more`, 'a later version without its dash'],
  [`00-${traceId}-${spanId}-0g`, 'no hexadecimal'],
])('%s is none: %s', text => {
  expect(readTraceparent(text)).toBeNull();
});

test('what is written is read back', () => {
  for (const isSampled of [true, false]) {
    const made = { traceId: newTraceId(), spanId: newSpanId(), isSampled };
    expect(readTraceparent(writeTraceparent(made))).toEqual(made);
  }
});

test('nothing makes it throw, nor take what it would not write', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f-]{50,60}$/)), text => {
      const read = readTraceparent(text);
      if (read !== null) expect(text.slice(3, 52)).toBe(`${read.traceId}-${read.spanId}`);
    }),
  );
});
