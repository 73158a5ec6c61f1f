import { expect, test } from 'bun:test';
import { ClickHouseError } from '@clickhouse/client';
import { meaningOf, sinkError } from '../../../../src/adapters/clickhouse/errors.ts';
import { PipelineError } from '../../../../src/errors.ts';

const of = (codes: readonly number[]) => new Set(codes.map(code => meaningOf(code, 'said')));

test('what is wrong with the rows themselves is refused', () => {
  expect(of([6, 25, 26, 27, 33, 38, 41, 53, 69, 72, 117, 130, 131, 321, 349, 376, 467])).toEqual(
    new Set(['sink_refused']),
  );
});

test('what somebody has to repair halts', () => {
  expect(of([16, 47, 60, 81, 115, 164, 192, 193, 194, 243, 497, 516, 774])).toEqual(new Set(['sink_halted']));
});

test('what is too much at the moment is overload', () => {
  expect(of([159, 202, 203, 241, 242, 252, 285, 425])).toEqual(new Set(['sink_overloaded']));
});

test('every other code is an unknown outcome, never a refusal', () => {
  expect(of([1, 209, 210, 236, 319, 394, 999, 1000, 1001, 1002, 12_345])).toEqual(new Set(['sink_unknown']));
});

test('a field that no column is named for halts, as it comes from a newer catalogue', () => {
  expect(meaningOf(117, 'Unknown field found while parsing JSONEachRow format: zz: (at row 1)')).toBe('sink_halted');
  expect(meaningOf(117, 'Cannot parse JSON object')).toBe('sink_refused');
});

test('a view of somebody else’s that fails halts, whatever its own code says, and overload stays overload', () => {
  for (const code of [6, 53, 43, 12_345]) expect(meaningOf(code, 'x: while pushing to view a.b. ')).toBe('sink_halted');
  expect(meaningOf(60, "Target table 'd.b' of view 'd.a' doesn't exists.")).toBe('sink_halted');
  expect(meaningOf(241, 'Memory limit exceeded: while pushing to view a.b')).toBe('sink_overloaded');
});

test('an error says what was being done, what it means and what ClickHouse said', () => {
  const cause = new ClickHouseError({ code: '60', type: 'UNKNOWN_TABLE', message: 'Table a.b does not exist. ' });
  const error = sinkError(cause, 'inserting 3 rows into b');
  expect(error.message).toBe(
    'inserting 3 rows into b: ClickHouse needs repair: Table a.b does not exist. (60 UNKNOWN_TABLE)',
  );
  expect([error.code, error.retry, error.cause]).toEqual(['sink_halted', 'halt', cause]);
});

test('a socket error, a timeout and an abort are unknown outcomes', () => {
  for (const cause of [new Error('ECONNREFUSED'), new Error('Timeout error.'), 'stopped'])
    expect(sinkError(cause, 'inserting').code).toBe('sink_unknown');
});

test('an error that is ours already stays what it is', () => {
  const error = new PipelineError('schema_incompatible');
  expect(sinkError(error, 'preparing')).toBe(error);
});
