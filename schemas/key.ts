// What keeps the events of one person in order: the partition key, user_id or else anonymous_id.

/** Of an event whose two ids are text, null or absent; an empty one is none. */
export const keyOf = (event: Readonly<Record<string, unknown>>): string | null =>
  (event.user_id as string | null | undefined) || (event.anonymous_id as string | null | undefined) || null;
