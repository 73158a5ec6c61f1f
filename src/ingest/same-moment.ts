// Events of several requests with one id, received in one millisecond: their rows could not be told apart by when they
// were received, and whichever was inserted last would win. So the later one is not sent at all: it is the earlier one
// once more, and has its outcome. `distinct` in accept.ts does the same within a request.

import type { Envelope, Outcome } from '../ports/log.ts';

interface Sent {
  readonly envelopes: readonly Envelope[];
  outcomes: Promise<readonly Outcome[]>;
}

export type Publish = (envelopes: readonly Envelope[]) => Promise<readonly Outcome[]>;

/** The same publish, for envelopes of one millisecond a call, that are distinct within it. */
export function onceEachMoment(publish: Publish): Publish {
  let momentMs = Number.NaN;
  /** By id; of an id that several types have, by id and type. */
  let sentOf = new Map<string, Sent>();

  function earlier({ id, type }: Envelope): { readonly sent: Sent; readonly at: number } | null {
    for (const key of [id, id + type]) {
      const sent = sentOf.get(key);
      const at = sent?.envelopes.findIndex(envelope => envelope.id === id && envelope.type === type) ?? -1;
      if (sent !== undefined && at >= 0) return { sent, at };
    }
    return null;
  }

  function note(sent: Sent): void {
    for (const { id, type } of sent.envelopes) sentOf.set(sentOf.has(id) ? id + type : id, sent);
  }

  function joined(envelopes: readonly Envelope[]): Promise<readonly Outcome[]> {
    const before = envelopes.map(earlier);
    const fresh = envelopes.filter((_, at) => before[at] === null);
    const sent: Sent = { envelopes: fresh, outcomes: Promise.resolve([]) };
    note(sent);
    if (fresh.length > 0) sent.outcomes = publish(fresh);
    let next = 0;
    const places = before.map(known => known ?? { sent, at: next++ });
    return Promise.all(places.map(async place => (await place.sent.outcomes)[place.at]!));
  }

  return envelopes => {
    const [first] = envelopes;
    if (first === undefined) return Promise.resolve([]);
    if (first.receivedAtMs !== momentMs) {
      momentMs = first.receivedAtMs;
      // Not cleared: the engine chains a cleared table to the next, and keeps them all until a whole collection.
      if (sentOf.size > 0) sentOf = new Map();
    }
    if (sentOf.size > 0 && envelopes.some(({ id }) => sentOf.has(id))) return joined(envelopes);
    const sent: Sent = { envelopes, outcomes: publish(envelopes) };
    note(sent);
    return sent.outcomes;
  };
}
