// Settings: where metrics are sent, beside being there to be asked for.

import { integer, text } from './kinds.ts';

export const otlpSettings = {
  otlpUrl: text({
    default: '',
    takes: 'http(s)://host:port',
    pattern: /^(https?:\/\/[^\s@?#]+)?$/, // a name and a password go into the headers
    help: 'An OpenTelemetry collector that takes OTLP over HTTP, to which metrics are sent; empty = none',
  }),
  otlpHeaders: text({
    default: '',
    takes: 'name=value, several with commas',
    pattern: /^([!#$%&'*+.^_`|~0-9A-Za-z-]+=[^,\r\n]*(,(?=.)|$))*$/,
    secret: true,
    help: 'Headers for it, e.g. authorization=Bearer …',
  }),
  otlpIntervalMs: integer({ default: 60_000, min: 1_000, max: 3_600_000, help: 'How often metrics are sent there' }),
};
