// The one place that looks at amqplib's errors and at AMQP's reply codes
// (https://www.rabbitmq.com/docs/channels#error-handling). What decides is whether the records may be stored:
// log_unavailable they are not, log_unknown they may be, log_halted they are not and an operator has to repair something.

import { messageOf, PipelineError } from '../../../errors.ts';
import { tlsProblemOf } from '../../../process/tls-problem.ts';

/** What was asked when it failed: nothing was sent yet, or records were. */
export type Phase = 'before sending' | 'sent';

/** Anything amqplib throws or emits. */
export function errorOfRabbitmq(thrown: unknown, phase: Phase, subject: string): PipelineError {
  if (thrown instanceof PipelineError) return thrown;
  const message = messageOf(thrown);
  const code = replyCodeOf(thrown);
  const because = (error: 'log_halted' | 'log_unknown' | 'log_unavailable', words: string): PipelineError =>
    new PipelineError(error, `${subject}: ${words}`, { cause: thrown });
  if (code === 403 && /login was refused/i.test(message))
    return because('log_halted', `the user or the password is refused, see UGC_RABBITMQ_URL: ${saidIn(message)}`);
  if (code === 403)
    return because(
      'log_halted',
      `the user of UGC_RABBITMQ_URL lacks a right, see rabbitmqctl set_permissions: ${saidIn(message)}`,
    );
  // Its node was killed just after it was made, or most of its replicas are away.
  if (code === 404 && /down or inaccessible/.test(message))
    return because(phase === 'sent' ? 'log_unknown' : 'log_unavailable', `a queue is down: ${saidIn(message)}`);
  if (code === 404) return because('log_halted', `there is no such queue: ${saidIn(message)}`);
  if (code === 406 && /acknowledgement .*timed out/.test(message))
    return because(
      'log_unavailable',
      `what was held for longer than consumer_timeout is taken back: ${saidIn(message)}`,
    );
  if (code === 406) return because('log_halted', `the queue is not what is wanted of it: ${saidIn(message)}`);
  // amqplib does not say why the server would not open it.
  if (code === 530 || /Expected ConnectionOpenOk/.test(message))
    return because(
      'log_halted',
      `the vhost of UGC_RABBITMQ_URL is not there, or not open to its user: ${saidIn(message)}`,
    );
  const tls = tlsProblemOf(thrown);
  if (tls !== null)
    return because(
      'log_halted',
      `TLS does not work, see UGC_RABBITMQ_TLS_CA, UGC_RABBITMQ_TLS_CERT and UGC_RABBITMQ_TLS_KEY: ${tls}`,
    );
  return because(phase === 'sent' ? 'log_unknown' : 'log_unavailable', message);
}

/** The queue of that name is not there; one that is down is. */
export const isMissing = (thrown: unknown): boolean =>
  replyCodeOf(thrown) === 404 && !/down or inaccessible/.test(messageOf(thrown));

/** The server takes no message of more bytes than this; null = that is not what was thrown. It ends the channel with it. */
export function largestTakenIn(thrown: unknown): number | null {
  const said = /message size \d+ is larger than configured max size (\d+)/.exec(messageOf(thrown));
  return replyCodeOf(thrown) === 406 && said !== null ? Number(said[1]) : null;
}

export interface Difference {
  readonly argument: string;
  /** What the queue has; undefined = it has no such argument. */
  readonly current: string | number | undefined;
}

/** It is there, with another value of this argument than was said; null = that is not what was thrown. */
export function differenceIn(thrown: unknown): Difference | null {
  if (replyCodeOf(thrown) !== 406) return null;
  const said =
    /inequivalent arg '([^']+)' .*but current is (?:none|(?:the value )?'([^']*)'(?: of type '(\w+)')?)/.exec(
      messageOf(thrown),
    );
  if (said === null) return null;
  const [, argument, value, type] = said;
  const isText = type === undefined || type === 'longstr';
  return { argument: argument!, current: value === undefined || isText ? value : Number(value) };
}

function replyCodeOf(thrown: unknown): number | null {
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  if (typeof code === 'number') return code;
  // A handshake that is refused tells its code in words alone.
  const said = /: (\d{3}) \([A-Z-]+\)/.exec(messageOf(thrown))?.[1];
  return said === undefined ? null : Number(said);
}

/** The server's own words, without amqplib's around them. */
const saidIn = (message: string): string => /with message "(.*)"$/s.exec(message)?.[1] ?? message;
