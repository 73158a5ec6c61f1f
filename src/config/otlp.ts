// Settings: traces and metrics for a collector of OpenTelemetry.

import { integer, type Setting, share, type Values } from './kinds.ts';

/** Without a slash at its end; not set: ''. */
const collector = (help: string): Setting<string> => ({
  help,
  takes: 'http(s)://host:4318',
  defaultText: '',
  secret: false,
  parse: text => {
    if (text === '') return '';
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.search + url.hash !== '')
      throw new Error(`must be the address of a collector, e.g. http://collector:4318, not "${text}"`);
    if (url.username + url.password !== '')
      throw new Error('must hold no user and password: set UGC_OTLP_HEADERS, e.g. authorization=Basic%20…');
    return text.replace(/\/+$/, '');
  },
});

/** As OTEL_EXPORTER_OTLP_HEADERS: what a list or a space would break is written in percent. By lower-case name. */
const headers = (help: string): Setting<Readonly<Record<string, string>>> => ({
  help,
  takes: 'name=value, several with commas',
  defaultText: '',
  secret: true,
  parse: text => (text === '' ? {} : Object.fromEntries(text.split(',').map(item => readHeader(item.trim())))),
});

function readHeader(item: string): readonly [string, string] {
  const [, name, given] = /^([!#$%&'*+.^_`|~\w-]+)=(.+)$/.exec(item) ?? [];
  const value = given === undefined ? null : decoded(given.trim());
  if (name === undefined || value === null || !/^[!-~]([ -~]*[!-~])?$/.test(value))
    throw new Error(
      'must be name=value, several with commas, what is no letter or digit in percent: authorization=Bearer%20…',
    );
  return [name.toLowerCase(), value];
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export const otlpSettings = {
  otlpUrl: collector(
    'Collector that takes traces and metrics by OTLP over HTTP (JSON), at /v1/traces and /v1/metrics below it; empty = nothing is told',
  ),
  otlpHeaders: headers('Headers for the collector, e.g. a key'),
  otlpTraceShare: share({
    default: '0.01',
    help: 'Of the requests to POST /v1/* without a traceparent that are traced; one with it is traced when it says so',
  }),
  otlpMetricsSeconds: integer({
    default: 60,
    min: 0,
    max: 3_600,
    help: 'How often metrics are sent to the collector; 0 = never',
  }),
};

export const otlpProblems = ({ otlpUrl, otlpHeaders }: Values<typeof otlpSettings>): string[] =>
  otlpUrl === '' && Object.keys(otlpHeaders).length > 0 ? ['UGC_OTLP_HEADERS needs UGC_OTLP_URL'] : [];
