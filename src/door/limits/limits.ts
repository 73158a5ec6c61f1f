// Rate limits: so many events a second of a caller, and of a client's address. A request is let in while both have one left,
// and each further event of its body counts once that is read, so nobody is refused in the middle of one.
//
// What a client is told: 429 with Retry-After, and RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11),
// which an answer also carries once less than half is left; beside them the three fields of older drafts.

import { PipelineError } from '../../errors.ts';
import { problem } from '../../http/answer.ts';
import type { Admission, Admit, Caller } from '../../http/route.ts';
import type { Rates, Standing } from './rate.ts';

/** Whose limit it is. */
export type LimitOf = 'caller' | 'address';

export interface LimitsOptions {
  readonly admit: Admit;
  /** Of a caller that has no rate of its own; 0 = no limit. */
  readonly callerPerSecond: number;
  readonly callers: Rates;
  /** 0 = no limit. */
  readonly addressPerSecond: number;
  readonly addresses: Rates;
  readonly onRefused: (of: LimitOf, who: string) => void;
}

export function limited(options: LimitsOptions): Admit {
  const { admit, callerPerSecond, callers, addressPerSecond, addresses, onRefused } = options;
  /** Made once for each caller: at many thousand requests a second each object counts. */
  const byCaller = new WeakMap<Caller, Admission>();

  function ofCaller(admission: Admission): Admission {
    if (!admission.ok) return admission;
    const { caller } = admission;
    const { id, perSecond = callerPerSecond } = caller;
    if (id === undefined || perSecond === 0) return admission;
    const waitMs = callers.take(id, perSecond);
    if (waitMs > 0) {
      onRefused('caller', nameOf(caller));
      return refused('caller', nameOf(caller), callers.standing(id, perSecond), waitMs);
    }
    let known = byCaller.get(caller);
    if (known === undefined) {
      known = {
        ok: true,
        caller: { ...caller, spend: events => callers.spend(id, events, perSecond) },
        headers: () => toldWhenLow('caller', callers, id, perSecond),
      };
      byCaller.set(caller, known);
    }
    return known;
  }

  function ofAddress(admission: Admission, who: string): Admission {
    if (!admission.ok) return admission;
    const { caller, headers } = admission;
    const spend = (events: number): void => {
      caller.spend?.(events);
      addresses.spend(who, events, addressPerSecond);
    };
    return {
      ok: true,
      caller: { ...caller, spend },
      headers: () => headers?.() ?? toldWhenLow('address', addresses, who, addressPerSecond),
    };
  }

  if (addressPerSecond === 0)
    return (call, needs) => {
      const admission = admit(call, needs);
      return admission instanceof Promise ? admission.then(ofCaller) : ofCaller(admission);
    };

  return (call, needs) => {
    const who = networkOf(call.address);
    // First of all, so that keys cannot be guessed faster than that.
    const waitMs = addresses.take(who, addressPerSecond);
    if (waitMs > 0) {
      onRefused('address', call.address);
      const standing = addresses.standing(who, addressPerSecond);
      return refused('address', `the address ${call.address}`, standing, waitMs);
    }
    const admission = admit(call, needs);
    return admission instanceof Promise
      ? admission.then(known => ofAddress(ofCaller(known), who))
      : ofAddress(ofCaller(admission), who);
  };
}

function refused(of: LimitOf, who: string, standing: Standing, waitMs: number): Admission {
  const seconds = Math.ceil(waitMs / 1_000);
  const { capacity, windowMs } = standing;
  const words = `${who} sends more than it may, ${capacity} events in ${windowMs / 1_000} s: try again in ${seconds} s`;
  const headers = { 'retry-after': String(seconds), ...fieldsOf(of, standing) };
  return { ok: false, answer: problem(new PipelineError('rate_limited', words), { headers }) };
}

/** A user's id is nobody's business in a log. */
const nameOf = ({ name, userId }: Caller): string =>
  userId === undefined ? `the key "${name}"` : `a user of ${name === '' ? 'a token' : `the client "${name}"`}`;

const toldWhenLow = (of: LimitOf, rates: Rates, who: string, perSecond: number): Record<string, string> | null =>
  rates.isLow(who, perSecond) ? fieldsOf(of, rates.standing(who, perSecond)) : null;

function fieldsOf(of: LimitOf, { capacity, left, fullInMs, windowMs }: Standing): Record<string, string> {
  const reset = Math.ceil(fullInMs / 1_000);
  return {
    'ratelimit-policy': `"${of}";q=${capacity};w=${Math.ceil(windowMs / 1_000)}`,
    ratelimit: `"${of}";r=${left};t=${reset}`,
    'ratelimit-limit': String(capacity),
    'ratelimit-remaining': String(left),
    'ratelimit-reset': String(reset),
  };
}

/** Who has IPv6 has a network of 64 bits at the least, and as many addresses as it likes in it (RFC 6177). */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    while (groups.length < 8 - behind && groups.length < 4) groups.push('0');
    if (groups.length < 4) groups.push(...tail.split(':'));
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
