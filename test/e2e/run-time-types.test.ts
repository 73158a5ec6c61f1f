// Event types from files, through the compiled binary: added, grown, broken and taken away while it runs, and what becomes
// of their events.

import { afterEach, expect, test } from 'bun:test';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TypeFiles, typedEvent, typeFiles, typeJson } from '../support/type-files.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const started: Ugc[] = [];
afterEach(() => Promise.all(started.splice(0).map(ugc => ugc.stop())));

interface Placed {
  readonly dataDir: string;
  readonly files: TypeFiles;
}

const placed = (): Placed => ({ dataDir: temporaryFolder(), files: typeFiles(join(temporaryFolder(), 'types')) });

async function start({ dataDir, files }: Placed, ...flags: string[]): Promise<Ugc> {
  const ugc = await startUgc({ dataDir, flags: [`--schemas-dir=${files.folder}`, '--request-log=false', ...flags] });
  started.push(ugc);
  return ugc;
}

async function stop(ugc: Ugc): Promise<void> {
  started.splice(started.indexOf(ugc), 1);
  expect(await ugc.stop()).toBe(0);
}

const statusOf = async (ugc: Ugc, event: unknown): Promise<number> => (await ugc.post(event)).status;

const rowsOf = (ugc: Ugc, type: string) => ugc.query(`SELECT * FROM ugc.${type} ORDER BY event_id`);

async function detail(ugc: Ugc): Promise<{ status: number; detail: Record<string, string> }> {
  const response = await fetch(`${ugc.url}/healthz/ready`);
  return { status: response.status, detail: ((await response.json()) as { detail: Record<string, string> }).detail };
}

test('a type of a file is a type like any other: taken, judged, a table, in the document, in ugc schema', async () => {
  const place = placed();
  place.files.write(typeJson('trailer_watched', { aliases: ['TrailerWatched'] }));
  const ugc = await start(place);
  expect(await statusOf(ugc, typedEvent('TrailerWatched', { seconds: 7 }))).toBe(200);
  const [row] = await eventually(async () => {
    const rows = await rowsOf(ugc, 'trailer_watched');
    return rows.length > 0 && rows;
  });
  expect(row).toMatchObject({ event_type: 'trailer_watched', film_id: 'f1', seconds: 7, schema_version: 1 });
  const wrong = await ugc.post(typedEvent('trailer_watched', { seconds: 86_401, film: 1 }));
  expect(wrong.status).toBe(422);
  const { errors } = (await wrong.json()) as { errors: { path: string; message: string }[] };
  expect(errors.map(({ path }) => path)).toEqual(['/seconds', '/film']);
  expect(errors[0]!.message).toContain('a whole number from 0 to 86400');
  const { paths } = (await (await fetch(`${ugc.url}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(paths)).toContain('/v1/events/trailer_watched');
  expect(await ugc.query("SELECT event_type FROM ugc.events WHERE event_type = 'trailer_watched'")).toHaveLength(1);

  const shown = await runUgc(['schema', 'show', 'trailer_watched', `--schemas-dir=${place.files.folder}`]);
  expect(shown.stdout).toContain('family trailers, stream view, version 1');
});

test('a file that comes while it runs is a type a moment later, and grows with the file', async () => {
  const place = placed();
  const ugc = await start(place);
  expect(await statusOf(ugc, typedEvent('trailer_watched'))).toBe(422);
  place.files.write(typeJson('trailer_watched'));
  await eventually(async () => (await statusOf(ugc, typedEvent('trailer_watched'))) === 200);

  const { properties } = typeJson('trailer_watched');
  place.files.write(typeJson('trailer_watched', { properties: { ...properties, language: { type: 'string' } } }));
  ugc.kill('SIGHUP');
  await eventually(async () => (await statusOf(ugc, typedEvent('trailer_watched', { language: 'fr' }))) === 200);
  await eventually(async () =>
    (await rowsOf(ugc, 'trailer_watched')).some(row => row.language === 'fr') ? true : null,
  );
});

test('a broken file changes nothing, is told with its line, and its repair is noticed', async () => {
  const place = placed();
  place.files.write(typeJson('trailer_watched'));
  const ugc = await start(place);
  place.files.write(typeJson('poster_seen', { properties: { film_id: { type: 'string', oneOf: [] } } }));
  const told = await eventually(async () => (await detail(ugc)).detail.schemas);
  expect(told).toContain('poster_seen.json:10 /properties/film_id/oneOf is not understood here');
  expect((await detail(ugc)).status).toBe(200);
  expect(ugc.output()).toContain('broken event types: nothing was changed');
  expect(await statusOf(ugc, typedEvent('trailer_watched'))).toBe(200);
  expect(await statusOf(ugc, typedEvent('poster_seen'))).toBe(422);

  place.files.write(typeJson('poster_seen'));
  await eventually(async () => (await statusOf(ugc, typedEvent('poster_seen'))) === 200);
  expect((await detail(ugc)).detail.schemas).toBeUndefined();
});

test('a change that would break what was taken is refused, also when it is made while nothing runs', async () => {
  const place = placed();
  place.files.write(typeJson('trailer_watched'));
  const ugc = await start(place);
  place.files.write(typeJson('trailer_watched', { required: ['film_id', 'seconds'] }));
  const told = await eventually(async () => (await detail(ugc)).detail.schemas);
  expect(told).toContain('trailer_watched.json trailer_watched would break what was taken until now');
  expect(await statusOf(ugc, typedEvent('trailer_watched'))).toBe(200);
  await stop(ugc);

  const again = await start(place);
  expect(await statusOf(again, typedEvent('trailer_watched'))).toBe(200);
  expect((await detail(again)).detail.schemas).toContain('would break');
});

test('a first start with a broken file ends, and says everything that is wrong', async () => {
  const place = placed();
  place.files.write('{\n  "name": "x",\n}', 'x.json');
  place.files.write(typeJson('click'));
  const flags = [`--schemas-dir=${place.files.folder}`, `--data-dir=${place.dataDir}`, '--port=0'];
  const { code, stderr } = await runUgc(flags);
  expect(code).toBe(1);
  expect(stderr).toContain('x.json:3 is not JSON');
  expect(stderr).toContain('click.json /name click is an event type of ugc itself already');
});

test('a type whose file goes is taken until the next start; what the log holds of it reaches its table', async () => {
  const place = placed();
  place.files.write(typeJson('trailer_watched'));
  const edge = await start(place, '--role=ingest');
  expect(await statusOf(edge, typedEvent('trailer_watched'))).toBe(200);
  place.files.remove('trailer_watched.json');
  await eventually(async () => (await detail(edge)).detail.schemas?.includes('trailer_watched'));
  expect(await statusOf(edge, typedEvent('trailer_watched'))).toBe(200);
  await stop(edge);

  const whole = await start(place);
  await eventually(async () => (await rowsOf(whole, 'trailer_watched')).length === 2);
  expect(await statusOf(whole, typedEvent('trailer_watched'))).toBe(422);
});

test('a mover that does not know a type waits for it, aloud, and goes on once it does', async () => {
  const place = placed();
  place.files.write(typeJson('trailer_watched'));
  const edge = await start(place, '--role=ingest');
  expect(await statusOf(edge, typedEvent('trailer_watched'))).toBe(200);
  await stop(edge);
  // As on another machine, where nobody has put the file yet.
  rmSync(join(place.dataDir, 'types'), { recursive: true });
  place.files.remove('trailer_watched.json');

  const mover = await start(place, '--role=etl');
  const told = await eventually(async () => (await detail(mover)).detail.trailer_watched);
  expect(told).toContain('the event type trailer_watched is not known here');
  expect(await mover.query('SELECT count() AS n FROM ugc.dead_letters')).toEqual([{ n: 0 }]);
  place.files.write(typeJson('trailer_watched'));
  await eventually(async () => (await rowsOf(mover, 'trailer_watched')).length === 1);
  await eventually(async () => (await detail(mover)).detail.trailer_watched === undefined);
  expect(existsSync(join(place.dataDir, 'types', 'trailer_watched.json'))).toBe(true);
});

test('with ClickHouse away a new type is taken all the same, and has its rows once ClickHouse is there', async () => {
  const place = placed();
  const free = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } });
  const { port } = free;
  free.stop(true);
  const ugc = await start(place, `--clickhouse-url=http://127.0.0.1:${port}`);
  place.files.write(typeJson('trailer_watched'));
  await eventually(async () => (await statusOf(ugc, typedEvent('trailer_watched'))) === 200);
  const told = await eventually(async () => (await detail(ugc)).detail.clickhouse);
  expect(told).toContain('no answer from ClickHouse');

  const server = await startUgc({
    dataDir: temporaryFolder(),
    flags: ['--role=etl', `--clickhouse-http-port=${port}`, '--clickhouse-http-readonly=false'],
  });
  started.unshift(server);
  await eventually(async () => (await rowsOf(server, 'trailer_watched')).length > 0, { msMax: 60_000 });
  await eventually(async () => (await detail(ugc)).detail.clickhouse === undefined);
});

test('two hundred types are there from the start, and a start is still one', async () => {
  const place = placed();
  for (let n = 0; n < 200; n++) place.files.write(typeJson(`own_${n}`));
  const first = await start(place, '--role=ingest');
  expect(await statusOf(first, typedEvent('own_199'))).toBe(200);
  const { paths } = (await (await fetch(`${first.url}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(paths).filter(path => path.startsWith('/v1/events/own_'))).toHaveLength(200);
  await stop(first);
  const again = await start(place);
  await eventually(async () => (await rowsOf(again, 'own_199')).length === 1);
  // Of a start of a quarter of a second half a second more is theirs on a quiet machine: this is for what grows without bound.
  const startMs = Number(/"start_ms":(\d+)/.exec(first.output())?.[1]);
  expect(startMs).toBeLessThan(5_000);
}, 60_000);
