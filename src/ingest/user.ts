// Events of a sender whose user is known, by a token: they are that user's, whatever they say. Either what they say is
// replaced, or an event that names another user is rejected; one that names none gets the user in any case.

import { type EdgeVerdict, isObject, type Judge, unwrap } from '../catalogue/judge.ts';
import type { Origin } from '../catalogue/origin.ts';
import { type Rejection, reject } from '../catalogue/rejection.ts';
import { warned } from '../catalogue/warning.ts';
import { special } from '../record/canonical.ts';

export type UserPolicy = 'override' | 'reject';

/** The same judge; without a known user it is asked as it was. */
export function judgeOfUsers(judge: Judge, policy: UserPolicy): (event: unknown, origin: Origin) => EdgeVerdict {
  return (given, origin) => {
    const { userId } = origin;
    if (userId === undefined) return judge(given, origin);
    const event = unwrap(given);
    if (!isObject(event)) return judge(given, origin);
    const verdict = judge({ ...event, user_id: userId }, withUser(userId, origin));
    if (!verdict.ok) return { ...verdict, errors: verdict.errors.map(saysWhose) };
    if (!namesAnother(event.user_id, userId)) return verdict;
    if (policy === 'override') return { ...verdict, warnings: warned(verdict.warnings, 'user_replaced') };
    return reject('not_allowed', verdict.envelope.type, {
      path: '/user_id',
      message: 'names another user than the token does (sub)',
    });
  };
}

/** That no text of the body has to be escaped says nothing of the user. */
const withUser = (userId: string, origin: Origin): Origin =>
  origin.isPlain === true && special.test(userId) ? { ...origin, isPlain: false } : origin;

const namesAnother = (said: unknown, userId: string): boolean =>
  said !== undefined && said !== null && said !== '' && (typeof said === 'object' || String(said) !== userId);

/** The sender did not write it. */
const saysWhose = (misfit: Rejection['errors'][number]): Rejection['errors'][number] =>
  misfit.path === '/user_id' ? { ...misfit, message: `${misfit.message}: it is the token’s subject (sub)` } : misfit;
