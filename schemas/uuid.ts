// What a UUID looks like (RFC 9562 §4), whatever its version.

/** In either case. */
export const isUuid = (text: string): boolean => pattern.test(text);

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
