// The one spelling of a client's address, in records and in the log. A socket that listens on every address, `::`, tells
// IPv4 clients as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2): the same client would have two names, by how ugc listens.

const mapped = /^::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i;

/** As it is written: IPv4 in dots, IPv6 in its short form and lower case (RFC 5952). */
export const clientAddress = (address: string): string =>
  address.startsWith('::') ? (mapped.exec(address)?.[1] ?? address.toLowerCase()) : address.toLowerCase();
