// What is known of the client of a request, and what becomes of its events by that: what is derived from its headers and its
// address, what of it is stored, and whether its events are wanted at all. Asked once a request, for all its events.
//
// A caller who sends for others (a secret key) is no client: its address and its program tell nothing of whom its events
// are of. Of it nothing is derived, and it is neither a bot nor one's own.

import { type Derived, marksText } from '../../catalogue/derived.ts';
import type { Origin } from '../../catalogue/origin.ts';
import type { Call } from '../../http/route.ts';
import type { Agent, ReadAgent } from './agent.ts';
import type { IsOwn } from './own-traffic.ts';

export interface ClientPolicies {
  /** What is kept of an address; null = all of it. */
  readonly keptAddress: ((address: string) => string) | null;
  /** Null: nobody looks at user agents. */
  readonly readAgent: ReadAgent | null;
  /** Device, browser and system are wanted, not bots alone. */
  readonly tellsAgent: boolean;
  readonly bots: 'keep' | 'mark' | 'drop';
  /** Of an address, by the file as it is just now; null = there is none. */
  readonly countryOf: ((address: string) => string) | null;
  readonly privacy: 'ignore' | 'mark' | 'drop-identity' | 'drop';
  /** Null: nothing says which traffic is one's own. */
  readonly isOwn: IsOwn | null;
  readonly own: 'mark' | 'drop';
}

/** The origin with what is known of its client. */
export type Clients = (call: Call, origin: Origin) => Origin;

/** In the place of a rule's id: no rule is called so. */
export const unwantedNames = { own: 'own-traffic', bots: 'bot-traffic', privacy: 'privacy-signals' } as const;

/** Undefined: nothing of it is asked for, and no request pays for it. */
export function clientsOf(policies: ClientPolicies): Clients | undefined {
  const { keptAddress, countryOf, isOwn } = policies;
  const looksAtAgents = policies.tellsAgent || policies.bots !== 'keep';
  const readAgent = looksAtAgents ? policies.readAgent : null;
  const heeds = policies.privacy !== 'ignore';
  const derives = readAgent !== null || countryOf !== null || isOwn !== null || heeds;
  if (!derives && keptAddress === null) return undefined;
  /** Of a user agent about which there is nothing else to say; '' = there is nothing to say at all. */
  const plainMarks = new WeakMap<Agent, string>();

  return ({ request: { headers }, address, caller }, origin) => {
    const ip = keptAddress?.(address) ?? origin.ip;
    const signal = heeds ? signalIn(headers) : null;
    const isClient = caller.isServer !== true;
    if (signal === null && (!isClient || !derives)) return { ...origin, ip, address };
    const agent = isClient && readAgent !== null ? readAgent(origin.userAgent) : null;
    const isOurs = isClient && isOwn?.(headers, address) === true;
    const isNobody = signal !== null && policies.privacy === 'drop-identity';
    return {
      ...origin,
      ip: isNobody ? '' : ip,
      userAgent: isNobody ? '' : origin.userAgent,
      address,
      derived: {
        country: isClient ? countryOf?.(address) : undefined,
        device: policies.tellsAgent ? agent?.device : undefined,
        isBot: agent?.isBot === true && policies.bots === 'mark',
        marks: marksOf(agent, isOurs, signal),
        isNobody,
      },
      unwanted: unwantedBy(agent, isOurs, signal),
    };
  };

  function marksOf(agent: Agent | null, isOurs: boolean, signal: string | null): Derived['marks'] {
    const isPlain = agent !== null && !isOurs && signal === null;
    const before = isPlain ? plainMarks.get(agent) : undefined;
    if (before !== undefined) return before === '' ? undefined : before;
    const marks = {
      ...(policies.tellsAgent && agent?.names),
      ...(agent?.isBot === true && policies.bots === 'mark' && { bot: true as const }),
      ...(isOurs && { own: true as const }),
      ...(signal !== null && { privacy: signal }),
    };
    const text = Object.keys(marks).length === 0 ? '' : marksText(marks);
    if (isPlain) plainMarks.set(agent, text);
    return text === '' ? undefined : text;
  }

  function unwantedBy(agent: Agent | null, isOurs: boolean, signal: string | null): string | undefined {
    if (isOurs && policies.own === 'drop') return unwantedNames.own;
    if (agent?.isBot === true && policies.bots === 'drop') return unwantedNames.bots;
    return signal !== null && policies.privacy === 'drop' ? unwantedNames.privacy : undefined;
  }
}

/** Global Privacy Control (https://w3c.github.io/gpc/), and what was there before it. */
function signalIn(headers: Headers): 'gpc' | 'dnt' | null {
  if (headers.get('sec-gpc') === '1') return 'gpc';
  return headers.get('dnt') === '1' ? 'dnt' : null;
}
