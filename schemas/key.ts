// What keeps the events of one person in order: the partition key, user_id or else anonymous_id.

/** Of an event whose ids are text, a number, null or absent; an empty text is none. */
export const keyOf = ({ user_id: user, anonymous_id: visitor }: Readonly<Record<string, unknown>>): string | null =>
  textOf(user) || textOf(visitor) || null;

const textOf = (id: unknown): string => (id === undefined || id === null ? '' : String(id));
