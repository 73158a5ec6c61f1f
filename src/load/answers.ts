// What an answer says of each event that was sent: accepted, which a row has to follow, refused for good, or not stored now. The
// common one, all accepted, is known by its first bytes; only others are parsed.

import type { Answered } from './connection.ts';

export interface Verdict {
  readonly accepted: number;
  /** Of those that had to be taken, and were refused; and of those that had to be refused, and were taken. */
  readonly wronglyRefused: number;
  readonly wronglyTaken: number;
  readonly refused: number;
  /** By a rule of the operator: answered with success, and no row follows. */
  readonly dropped: number;
  readonly failed: number;
}

/** `200`, or of a problem its status and the last word of its type: `422 invalid`; `cut` without an answer. */
export function nameOf({ status, body }: Answered): string {
  if (status < 400) return status === 0 ? 'cut' : String(status);
  const type = /"type":"[^"]*?([^"/:#]+)"/.exec(body.toString('latin1', 0, 1_000))?.[1];
  return type === undefined ? String(status) : `${status} ${type}`;
}

/** `serials`: of the events in order, below 0 where one has to be refused. `ack` is called with each good one that was taken. */
export function verdictOf(
  { status, body }: Answered,
  serials: readonly number[],
  ack: (serial: number) => void,
): Verdict {
  const all = (outcome: string): Verdict => verdictBy(serials, () => outcome, ack);
  if (status === 400 || status === 413 || status === 422) return all('rejected');
  if (status < 200 || status > 299) return all('failed');
  if (isWholly(body, serials.length)) return all('accepted');
  const read = parse(body);
  const results = read?.results;
  if (results === undefined) return all(read?.outcome ?? 'failed');
  return verdictBy(serials, at => results[at]?.outcome ?? 'failed', ack);
}

/** `outcomeAt`: of each in order, accepted, rejected, dropped; anything else is not stored. */
export function verdictBy(
  serials: readonly number[],
  outcomeAt: (at: number) => string,
  ack: (serial: number) => void,
): Verdict {
  const verdict = { accepted: 0, wronglyRefused: 0, wronglyTaken: 0, refused: 0, dropped: 0, failed: 0 };
  for (const [at, serial] of serials.entries()) {
    const outcome = outcomeAt(at);
    if (outcome === 'accepted') {
      verdict.accepted++;
      if (serial < 0) verdict.wronglyTaken++;
      else ack(serial);
    } else if (outcome === 'rejected') {
      verdict.refused++;
      if (serial >= 0) verdict.wronglyRefused++;
    } else if (outcome === 'dropped') verdict.dropped++;
    else verdict.failed++;
  }
  return verdict;
}

const whole = new Map<number, Buffer[]>();

/** By how our own answers and those to the SDKs of the Segment spec begin. */
function isWholly(body: Buffer, count: number): boolean {
  let beginnings = whole.get(count);
  if (beginnings === undefined) {
    beginnings = [`{"accepted":${count},"rejected":0,"results"`, '{"success":true}'].map(text => Buffer.from(text));
    whole.set(count, beginnings);
  }
  if (body[2] === eventId) return body.toString('latin1', outcomeAt, outcomeAt + 8) === 'accepted';
  return beginnings.some(start => body.length >= start.length && start.equals(body.subarray(0, start.length)));
}

/** `{"event_id":"…36…","outcome":"accepted"`: where the outcome stands. */
const eventId = 'e'.charCodeAt(0);
const outcomeAt = '{"event_id":"'.length + 36 + '","outcome":"'.length;

interface Read {
  readonly outcome?: string;
  readonly results?: readonly { readonly outcome?: string }[];
}

function parse(body: Buffer): Read | null {
  try {
    return JSON.parse(body.toString()) as Read;
  } catch {
    return null;
  }
}
