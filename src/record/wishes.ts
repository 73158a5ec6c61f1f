// Wishes of flows as records, and what they come to. A record is one JSON object: a wish, or that a flow was drained. Each
// replaces the one of before with the same key, so what is kept may be compacted by key and read in any order of keys.
//
// That a flow was drained has a key of its own and names the wish it is of: found out late, it undoes no later wish.

import {
  type Drained,
  type FlowNow,
  flowNames,
  flowStates,
  flowsByType,
  type Wish,
  type Wishes,
} from '../ports/flow-control.ts';

export type WishRecord = Wish | Drained;

/** `tables`, `tables:click`: in words what is wrong with it, or null. */
export function wrongFlow(flow: string): string | null {
  const [name = '', type, ...more] = flow.split(':');
  const known = flowNames.find(one => one === name);
  if (known === undefined || more.length > 0)
    return `there is no flow ${flow}: there are ${flowNames.join(', ')}, and of one event type ${flowsByType.map(one => `${one}:<type>`).join(', ')}`;
  if (type === undefined) return null;
  if (!flowsByType.includes(known)) return `${name} is of all event types together: it is called ${name} alone`;
  return /^[a-zA-Z0-9_.-]{1,200}$/.test(type) ? null : `${type} is no event type`;
}

export const keyOfWish = (record: WishRecord): string => ('drained' in record ? `${record.flow} drained` : record.flow);

const lengthMax = 1_000;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= lengthMax;
const isTime = (value: unknown): value is string => isText(value) && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);

/** Null: it is none, whoever wrote it. What is not known of it is left out. */
export function readWish(text: string): WishRecord | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== 'object' || read === null) return null;
  const { flow, drained, state: said, by, at, why } = read as Readonly<Record<string, unknown>>;
  if (!isText(flow) || wrongFlow(flow) !== null) return null;
  if (isTime(drained)) return { flow, drained };
  const state = flowStates.find(one => one === said);
  return state !== undefined && isText(by) && isTime(at) && isText(why) ? { flow, state, by, at, why } : null;
}

/** What records come to, in the order in which they were kept. */
export function wishesOf(records: Iterable<WishRecord>): Wishes {
  const wished = new Map<string, Wish>();
  const drained = new Map<string, string>();
  for (const record of records) {
    if ('drained' in record) drained.set(record.flow, record.drained);
    else wished.set(record.flow, record);
  }
  return new Map(
    [...wished].map(([flow, wish]): [string, FlowNow] => {
      const isDrained = wish.state === 'draining' && drained.get(flow) === wish.at;
      return [flow, { ...wish, ...(isDrained && { state: 'paused' }), isDrained }];
    }),
  );
}

/** The last record of each key, in order. */
export function latestOf(records: readonly WishRecord[]): readonly WishRecord[] {
  const byKey = new Map<string, WishRecord>();
  for (const record of records) {
    byKey.delete(keyOfWish(record));
    byKey.set(keyOfWish(record), record);
  }
  return [...byKey.values()];
}
