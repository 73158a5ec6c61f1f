// Settings: The HTTP front, and how much of a request it takes.

import { bytes, integer, networks, text } from './kinds.ts';

export const httpSettings = {
  host: text({
    default: '127.0.0.1',
    takes: 'an address',
    pattern: /./,
    help: 'Address to listen on; 0.0.0.0 for every interface',
  }),
  port: integer({ default: 8080, min: 0, max: 65535, help: 'Port for events; 0 = any free one' }),
  adminPort: integer({
    default: -1,
    min: -1,
    max: 65535,
    help: 'A port of their own for metrics and health; 0 = any free one, -1 = the events port',
  }),
  trustedProxies: networks({
    help: 'Of these X-Forwarded-For is believed: the client is the last address in it that is none of them; empty = none',
  }),
  connectionsMax: integer({ default: 0, min: 0, max: 1_000_000, help: 'Open at once; 0 = as open files allow' }),
  bodyBytesMax: bytes({ default: '2MiB', min: '1KiB', max: '256MiB', help: 'Largest body as sent' }),
  bodyDecompressedBytesMax: bytes({
    default: '16MiB',
    min: '1KiB',
    max: '1GiB',
    help: 'Largest body after decompression',
  }),
  requestsBytesMax: bytes({
    default: '128MiB',
    min: '1MiB',
    max: '1TiB',
    help: 'Bodies in memory of all requests together; beyond it 503. What is made of them takes some five times as much',
  }),
  bodyEventsMax: integer({ default: 5_000, min: 1, max: 1_000_000, help: 'Most events in one body' }),
  bodyLogRecordsMax: integer({
    default: 20_000,
    min: 1,
    max: 1_000_000,
    help: 'Most log records in one request of OpenTelemetry; a collector that is told nothing sends 8 192 and more',
  }),
  bodyTimeoutMs: integer({
    default: 10_000,
    min: 10,
    max: 600_000,
    help: 'A body that stalls for longer is answered 408',
  }),
};
