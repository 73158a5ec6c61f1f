// What amqplib throws and what the server says, in our words: by them an event goes to the disk, is known to be stored or not.

import { describe, expect, test } from 'bun:test';
import { differenceIn, errorOfRabbitmq, isMissing } from '../../../../src/adapters/rabbitmq/connect/error.ts';
import { PipelineError } from '../../../../src/errors.ts';

const closed = (code: number, words: string): Error =>
  Object.assign(new Error(`Operation failed: QueueDeclare; ${code} (SAID) with message "${words}"`), { code });

describe('an error', () => {
  test('that an operator has to mend halts, in the server’s words and whatever was under way', () => {
    for (const [code, words] of [
      [403, 'ACCESS_REFUSED - access to queue x refused'],
      [404, "NOT_FOUND - no queue 'x'"],
      [406, 'PRECONDITION_FAILED - inequivalent arg'],
      [530, 'NOT_ALLOWED - vhost nowhere not found'],
    ] as const)
      for (const phase of ['before sending', 'sent'] as const)
        expect(errorOfRabbitmq(closed(code, words), phase, 'amqp://rabbit')).toMatchObject({
          code: 'log_halted',
          message: expect.stringMatching(new RegExp(`^amqp://rabbit: .*${words.slice(0, 12)}`)),
        });
  });

  test('of a handshake tells its code in words alone', () => {
    const refused = new Error(
      'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
    );
    expect(errorOfRabbitmq(refused, 'before sending', 'a')).toMatchObject({
      code: 'log_halted',
      message: expect.stringContaining('Login was refused'),
    });
    expect(
      errorOfRabbitmq(new Error('Expected ConnectionOpenOk; got <ConnectionClose>'), 'before sending', 'a').code,
    ).toBe('log_halted');
    const untrusted = Object.assign(new Error('unable to verify'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    expect(errorOfRabbitmq(untrusted, 'before sending', 'a')).toMatchObject({
      code: 'log_halted',
      message: expect.stringContaining('UGC_RABBITMQ_TLS_CA'),
    });
  });

  test('of the network leaves what was sent unknown, and what was not sent not stored', () => {
    for (const thrown of [
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5672'), { code: 'ECONNREFUSED' }),
      new Error('Heartbeat timeout'),
      closed(320, 'CONNECTION_FORCED - broker forced connection closure'),
      closed(541, 'INTERNAL_ERROR'),
      undefined,
    ]) {
      expect(errorOfRabbitmq(thrown, 'before sending', 'a').code).toBe('log_unavailable');
      expect(errorOfRabbitmq(thrown, 'sent', 'a').code).toBe('log_unknown');
    }
  });

  test('of a message that was held for too long is none of the queue', () => {
    const late = closed(
      406,
      'PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1',
    );
    expect(errorOfRabbitmq(late, 'before sending', 'a').code).toBe('log_unavailable');
  });

  test('of ours stays what it is', () => {
    const error = new PipelineError('log_unknown', 'said before');
    expect(errorOfRabbitmq(error, 'before sending', 'a')).toBe(error);
  });
});

describe('of a queue', () => {
  test('that is not there only a 404 says so', () => {
    expect(isMissing(closed(404, 'NOT_FOUND'))).toBe(true);
    for (const other of [closed(403, 'x'), new Error('404'), null, undefined]) expect(isMissing(other)).toBe(false);
  });

  test('that is down it is said, and it is not made anew', () => {
    const down = closed(404, "NOT_FOUND - home node 'a@b' of durable queue 'q' in vhost '/' is down or inaccessible");
    expect(isMissing(down)).toBe(false);
    expect(errorOfRabbitmq(down, 'before sending', 'a')).toMatchObject({
      code: 'log_unavailable',
      message: expect.stringContaining('a queue is down'),
    });
  });

  test('that is there as something else the difference is read, a number as a number', () => {
    const differs = (words: string) => differenceIn(closed(406, `PRECONDITION_FAILED - inequivalent arg ${words}`));
    const said = (argument: string, current: string): string =>
      `'${argument}' for queue 'q' in vhost '/': received none but current is ${current}`;
    expect(differs(said('x-max-age', "the value '168h' of type 'longstr'"))).toEqual({
      argument: 'x-max-age',
      current: '168h',
    });
    expect(differs(said('x-max-length-bytes', "the value '1073741824' of type 'long'"))).toEqual({
      argument: 'x-max-length-bytes',
      current: 1_073_741_824,
    });
    expect(differs(said('durable', "'false'"))).toEqual({ argument: 'durable', current: 'false' });
    expect(differs(said('x-queue-type', 'none'))).toEqual({ argument: 'x-queue-type', current: undefined });
    expect(differenceIn(closed(406, 'PRECONDITION_FAILED - something else'))).toBeNull();
    expect(differenceIn(closed(404, "inequivalent arg 'x' but current is 'y'"))).toBeNull();
  });
});
