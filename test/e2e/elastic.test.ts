// The lines of the compiled binary, at level debug, in a real search engine behind the templates of deploy/elastic: each is
// taken where nothing but the template's fields may be, and what the dashboard asks is answered.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Aggregation,
  aggregationsOf,
  type FieldsTemplate,
  fieldsTemplate,
  indexTemplate,
  queryOf,
  savedObjects,
} from '../support/elastic.ts';
import { exampleClick } from '../support/events.ts';
import { isWithoutSearch, startSearch, type TestSearch } from '../support/opensearch.ts';
import { eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const isWithout = await isWithoutSearch();
let search: TestSearch;
/** ILM is Elasticsearch's own. A value of another type is to be seen here, not passed. */
const [logs, audit] = (['logs', 'audit'] as const).map(name => {
  const { template, ...rest } = indexTemplate(name);
  const { 'index.lifecycle.name': _, ...settings } = template.settings;
  const severe = { ...settings, 'index.mapping.ignore_malformed': false };
  return { ...rest, template: { ...template, settings: severe } };
});
const strict = (fields: FieldsTemplate) => ({
  template: { mappings: { ...fields.template.mappings, dynamic: 'strict' } },
});

beforeAll(async () => {
  if (isWithout) return;
  search = await startSearch();
  await search.ask('PUT', '_component_template/ugc-fields', strict(fieldsTemplate()));
  await search.ask('PUT', '_index_template/ugc-logs', logs);
  await search.ask('PUT', '_index_template/ugc-audit', audit);
});
afterAll(async () => search?.stopForGood());

interface Taken {
  readonly errors: boolean;
  readonly items: readonly { readonly create: { readonly status: number; readonly error?: unknown } }[];
}

const send = (stream: string, lines: readonly string[]): Promise<Taken> =>
  search.ask('POST', `${stream}/_bulk?refresh=true`, lines.map(line => `{"create":{}}\n${line}\n`).join(''));

const refusedOf = ({ items }: Taken, lines: readonly string[]) =>
  items.flatMap(({ create: { error } }, at) => (error === undefined ? [] : [{ line: lines[at], error }]));

/** Lines of many kinds: what runs well, what is refused, what breaks and comes back, a wrong type, a stop. */
async function written(): Promise<{ readonly log: readonly string[]; readonly audit: readonly string[] }> {
  const [dataDir, types] = [temporaryFolder(), temporaryFolder()];
  const flags = [
    '--log-level=debug',
    `--archive-url=file://${temporaryFolder()}`,
    `--schemas-dir=${types}`,
    '--auth=keys',
  ];
  const { stdout } = await runUgc([
    'keys',
    'add',
    'shop',
    '--kind=secret',
    '--scopes=events:write,admin',
    `--data-dir=${dataDir}`,
  ]);
  const headers = { 'x-api-key': stdout.trim(), 'content-type': 'application/json' };
  const ugc = await startUgc({ dataDir, flags });
  const body = JSON.stringify({ ...exampleClick, timestamp: new Date().toISOString() });
  expect((await fetch(`${ugc.url}/v1/events`, { method: 'POST', headers, body })).status).toBe(200);
  expect((await fetch(`${ugc.url}/v1/events`, { method: 'POST', headers, body: '{' })).status).toBe(400);
  expect((await fetch(`${ugc.url}/no/such/route`)).status).toBe(404);
  const stream = await fetch(`${ugc.url}/v1/stream`, { headers });
  await stream.body!.cancel();
  writeFileSync(join(types, 'wrong.json'), '{');
  await eventually(() => ugc.output().includes('broken event types'), { what: 'a warning' });
  writeFileSync(join(dataDir, 'keys.json'), 'wrong');
  await eventually(() => ugc.output().includes('the file of API keys is wrong'), { what: 'another' });
  await ugc.stop();
  const log = ugc
    .output()
    .split('\n')
    .filter(line => line.startsWith('{'));
  return { log, audit: readFileSync(join(dataDir, 'audit.log'), 'utf8').trimEnd().split('\n') };
}

test.skipIf(isWithout)('every line is taken as it is by a template that refuses what it does not know', async () => {
  const { log, audit: acts } = await written();
  expect(log.length).toBeGreaterThan(8);
  const datasets = new Set(log.map(line => JSON.parse(line)['event.dataset']));
  expect([...datasets].toSorted()).toEqual(['ugc', 'ugc.audit', 'ugc.request']);
  expect(refusedOf(await send('logs-ugc-default', log), log)).toEqual([]);
  expect(refusedOf(await send('logs-ugc.audit-default', acts), acts)).toEqual([]);
  // It is strict indeed, and a field of another type is seen.
  const [line] = log as [string];
  const odd = [{ unheard_of: 1 }, { topic: { name: 'x' } }].map(field =>
    JSON.stringify({ ...JSON.parse(line), ...field }),
  );
  expect(refusedOf(await send('logs-ugc-default', odd), odd)).toHaveLength(2);
  const { count } = await search.ask<{ count: number }>('GET', 'logs-ugc*/_count');
  expect(count).toBe(log.length + acts.length);
});

test.skipIf(isWithout)('every panel is answered, and not with nothing', async () => {
  const panels = savedObjects().filter(({ type }) => type === 'visualization' || type === 'search');
  expect(panels.length).toBeGreaterThan(5);
  for (const panel of panels) {
    const aggs = aggregationsOf(panel);
    const answer = await search.ask<{ hits: { total: { value: number } }; aggregations?: Record<string, Answer> }>(
      'POST',
      'logs-ugc*/_search',
      {
        size: 0,
        query: { query_string: { query: queryOf(panel).replaceAll(' : ', ':').replaceAll(' or ', ' OR ') || '*' } },
        aggs: Object.fromEntries(aggs.flatMap(asked)),
      },
    );
    expect([panel.id, answer.hits.total.value > 0]).toEqual([panel.id, true]);
    for (const [id, { buckets, values }] of Object.entries(answer.aggregations ?? {})) {
      const isFilled = buckets === undefined ? Object.values(values ?? {}).every(Number.isFinite) : buckets.length > 0;
      expect([panel.id, id, isFilled]).toEqual([panel.id, id, true]);
    }
  }
});

interface Answer {
  readonly buckets?: readonly unknown[];
  readonly values?: Readonly<Record<string, number | null>>;
}

/** As Kibana asks, but side by side. */
function asked({ id, type, params: { field, size, percents } }: Aggregation): readonly (readonly [string, object])[] {
  if (type === 'count') return [];
  if (type === 'date_histogram') return [[id, { date_histogram: { field, fixed_interval: '30s' } }]];
  if (type === 'percentiles') return [[id, { percentiles: { field, percents } }]];
  return [[id, { terms: { field, size } }]];
}
