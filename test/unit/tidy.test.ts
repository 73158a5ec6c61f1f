// Reads the source tree and holds it to the rules of the house: who may import whom, what a file is called, how long it
// is, what it opens with, and the few things only one place may do.

import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dir, '../..');

interface Source {
  /** From the root, e.g. src/mover/loop.ts */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** What it imports: a path from the root, or a package's name. */
  readonly imports: readonly string[];
}

const importPattern =
  /^\s*(?:import|export)\b[^;]*?\bfrom\s*'([^']+)'|^\s*import\s*'([^']+)'|\b(?:import|require)\(\s*['"`]([^'"`]+)['"`]/gm;

function sourceOf(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const imports = [...text.matchAll(importPattern)].map(([, from, bare, dynamic]) => {
    const name = (from ?? bare ?? dynamic)!;
    return name.startsWith('.') ? relative(root, join(root, dirname(path), name)) : name;
  });
  return { path, text, lines: text.trimEnd().split('\n'), imports };
}

const sourcesIn = (folder: string): Source[] =>
  [...new Bun.Glob(`${folder}/**/*`).scanSync({ cwd: root })]
    .filter(path => /\.[cm]?[jt]sx?$/.test(path))
    .toSorted()
    .map(sourceOf);

const ours = [...sourcesIn('src'), ...sourcesIn('schemas')];
const inside = ours.filter(({ path }) => path.startsWith('src/'));
const code = (source: Source): string => source.text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');

const packageOf = (name: string): string => name.split('/', name.startsWith('@') ? 2 : 1).join('/');
const isOurs = (name: string): boolean => /^(src|schemas)\/|^package\.json$/.test(name);

/** Nodes that reach themselves, in one order. */
function circlesIn(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    [...(graph.get(from) ?? [])].some(next => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  return [...graph.keys()].filter(node => reaches(node, node, new Set()));
}

interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** The line on which a body begins: of a function, a method or a callback, also where its parameters take lines of their own. */
const bodyPattern = new RegExp(
  [
    String.raw`=> \{$`,
    String.raw`^\s*(export )?(default )?(async )?function\b.*\{$`,
    String.raw`^\s*(async |get |set )?(\w+|\[.*\])(<.*>)?\(.*\)(: .*)? \{$`,
    String.raw`^\s*[)}\]].*\)(: .*)? \{$`,
    String.raw`^\s*\)(: .*)? \{$`,
  ].join('|'),
);
const indentOf = (line: string): number => line.length - line.trimStart().length;

/** Functions by how the formatter lays them out: a line that begins a body, and the next brace at its indentation. */
function functionsIn(lines: readonly string[]): { readonly name: string; readonly ownLines: number }[] {
  const spans: Span[] = [];
  for (const [from, line] of lines.entries()) {
    if (!bodyPattern.test(line)) continue;
    const indent = indentOf(line);
    const isHead = (other: string): boolean => indentOf(other) === indent && !/^\s*([)}\]]|$)/.test(other);
    const head = lines.slice(0, from + 1).findLast(isHead) ?? line;
    if (/^\s*(if|for|while|switch|try|do)\b/.test(head) || /^\s*\} (else|catch|finally)\b/.test(line)) continue;
    const to = lines.findIndex(
      (other, at) => at > from && indentOf(other) === indent && other.trimStart().startsWith('}'),
    );
    const name =
      /(?:function |const |^\s*(?:async |get |set )?)(\w+)/.exec(head.replace(/^\s*export /, ''))?.[1] ?? '?';
    spans.push({ name, from, to: to < 0 ? lines.length - 1 : to });
  }
  const inside = (inner: Span, outer: Span) => inner !== outer && inner.from > outer.from && inner.to < outer.to;
  return spans.map(span => {
    const nested = spans.filter(other => inside(other, span));
    const direct = nested.filter(other => !nested.some(between => inside(other, between)));
    const linesOf = ({ from, to }: Span): number => to - from + 1;
    return { name: span.name, ownLines: direct.reduce((sum, other) => sum - linesOf(other), linesOf(span)) };
  });
}

/** `path: what` of each source that breaks a rule. */
const offences = (sources: readonly Source[], rule: (source: Source) => readonly (string | false)[]): string[] =>
  sources.flatMap(source => rule(source).flatMap(what => (what === false ? [] : [`${source.path}: ${what}`])));

test('there is a tree to read', () => {
  expect(inside.length).toBeGreaterThan(20);
  expect(inside.find(({ path }) => path === 'src/mover/loop.ts')?.imports).toContain('src/mover/progress.ts');
});

describe('what is installed', () => {
  const lock = readFileSync(join(root, 'bun.lock'), 'utf8');

  test('runs no script: without a list of its own Bun trusts one of hundreds of packages', () => {
    expect(packageJson.trustedDependencies).toEqual([]);
    expect(lock).toContain('"trustedDependencies": []');
  });

  test('reports nothing: nothing lies in the place of the one that tells its maker who installs swagger-ui-dist', () => {
    expect(lock.match(/"@scarf\/scarf@[^"]+"/g)).toEqual(['"@scarf/scarf@file:.ci/patches/scarf"']);
  });
});

describe('who may import whom', () => {
  /** By room, what it may import of ours beside itself; '*' = everything. */
  const rooms: Readonly<Record<string, readonly string[] | '*'>> = {
    'schemas/': [],
    'src/main.ts': '*',
    'src/serve.ts': '*',
    'src/roles/': '*',
    'src/errors.ts': [],
    'src/embedded.d.ts': [],
    'src/ports/': ['src/errors.ts', 'schemas/'],
    'src/process/': ['src/errors.ts'],
    'src/record/': ['src/ports/', 'src/errors.ts', 'schemas/'],
    'src/config/': ['src/ports/', 'src/process/', 'src/errors.ts', 'schemas/'],
    'src/http/': ['src/ports/tracing.ts', 'src/process/', 'src/errors.ts', 'schemas/'],
    'src/door/': ['src/ports/', 'src/http/', 'src/process/', 'src/errors.ts', 'schemas/'],
    'src/log/': ['src/ports/', 'src/record/', 'src/process/', 'src/errors.ts'],
    'src/mover/': ['src/ports/', 'src/record/', 'src/process/', 'src/errors.ts'],
    'src/catalogue/': ['src/ports/', 'src/record/', 'src/process/', 'src/config/', 'src/errors.ts', 'schemas/'],
    'src/ingest/': [
      'src/ports/',
      'src/record/',
      'src/http/',
      'src/door/',
      'src/catalogue/',
      'src/config/',
      'src/process/',
      'src/errors.ts',
      'schemas/',
    ],
    'src/content/': [
      'src/ports/',
      'src/record/',
      'src/http/',
      'src/door/',
      'src/catalogue/',
      'src/config/',
      'src/process/',
      'src/errors.ts',
      'schemas/',
    ],
    // What runs in the browser: it knows what it is told, and nothing of who tells it.
    'src/console/page/': ['src/console/answers.ts', 'src/ports/'],
    'src/console/': [
      'src/ports/',
      'src/record/',
      'src/http/',
      'src/catalogue/',
      'src/dead/',
      'src/process/',
      'src/errors.ts',
      'schemas/',
    ],
    'src/tap/': ['src/ports/', 'src/http/', 'src/process/', 'src/errors.ts', 'schemas/'],
    'src/archive/': ['src/ports/', 'src/record/', 'src/process/', 'src/errors.ts'],
    // A client of ours: it knows what is sent, and nothing of who takes it.
    'src/load/': ['src/process/', 'src/errors.ts', 'schemas/'],
    'src/dead/': ['src/ports/', 'src/record/', 'src/process/', 'src/errors.ts'],
    // Commands read what is there with the adapters themselves, and the archive by its manifest.
    'src/operate/': [
      'src/ports/',
      'src/record/',
      'src/catalogue/',
      'src/config/',
      'src/process/',
      'src/door/',
      'src/adapters/',
      'src/archive/',
      'src/dead/',
      'src/load/',
      'src/errors.ts',
      'schemas/',
    ],
    'src/adapters/': ['src/ports/', 'src/record/', 'src/process/', 'src/errors.ts'],
  };

  /** `file imports`, each with the reason why the rule is not to hold there. */
  const exceptions: Readonly<Record<string, string>> = {};

  const roomOf = (path: string): string | undefined => Object.keys(rooms).find(room => path.startsWith(room));

  test('a room imports what the plan of the house says', () => {
    const wrong = offences(ours, ({ path, imports }) => {
      const room = roomOf(path);
      const may = room === undefined ? [] : rooms[room]!;
      if (room === undefined) return ['lies in no room of the plan'];
      return imports
        .filter(name => /^(src|schemas|\.\.)\//.test(name) && !name.startsWith(room))
        .map(name => may !== '*' && !may.some(item => name.startsWith(item)) && `imports ${name}`);
    });
    expect(wrong.filter(offence => exceptions[offence.replace(':', '')] === undefined)).toEqual([]);
    expect(Object.keys(exceptions).filter(known => !wrong.some(offence => offence.replace(':', '') === known))).toEqual(
      [],
    );
  });

  /** An adapter is one dependency: what two of them need belongs to the ports or the record. */
  test('an adapter imports no other', () => {
    const adapterOf = (path: string) => /^src\/adapters\/([a-z-]+)\//.exec(path)?.[1];
    const known: Readonly<Record<string, string>> = {
      'chdb clickhouse': 'the embedded engine is a ClickHouse: it reads statements with the same eyes',
    };
    const wrong = offences(inside, ({ path, imports }) => {
      const own = adapterOf(path);
      if (own === undefined) return [];
      return imports.map(name => {
        const other = adapterOf(name);
        return other !== undefined && other !== own && known[`${own} ${other}`] === undefined && `imports ${name}`;
      });
    });
    expect(wrong).toEqual([]);
  });

  test('files and rooms import each other in no circle', () => {
    const fileGraph = new Map(ours.map(({ path, imports }) => [path, new Set(imports.filter(isOurs))]));
    expect(circlesIn(fileGraph)).toEqual([]);
    const folders = new Map<string, Set<string>>();
    for (const { path, imports } of ours) {
      const room = roomOf(path)!;
      const to = folders.get(room) ?? new Set();
      folders.set(room, to);
      for (const name of imports.filter(isOurs))
        if (roomOf(name) !== undefined && roomOf(name) !== room) to.add(roomOf(name)!);
    }
    expect(circlesIn(folders)).toEqual([]);
  });

  test('every file is imported, but those that are started', () => {
    const started = [
      'src/main.ts',
      'src/adapters/disk/log/worker.ts',
      'src/adapters/sqlite-content/worker.ts',
      'src/roles/row-files/worker.ts',
      'src/embedded.d.ts',
      'src/console/page/main.tsx',
      'src/console/page/styles.d.ts',
    ];
    const users = [...ours, ...sourcesIn('test'), ...sourcesIn('bench'), ...sourcesIn('.ci')];
    const imported = new Set(users.flatMap(({ imports }) => imports));
    const byTestsAlone = new Set(ours.flatMap(({ imports }) => imports));
    const lost = ours.map(({ path }) => path).filter(path => !started.includes(path) && !imported.has(path));
    expect(lost).toEqual([]);
    // The memory adapters are there for tests; what else only tests use is used by nobody.
    expect(
      ours
        .map(({ path }) => path)
        .filter(path => !started.includes(path) && !path.startsWith('src/adapters/memory/') && !byTestsAlone.has(path)),
    ).toEqual([]);
  });

  test('nobody imports main, nor a test', () => {
    expect(
      offences(ours, ({ imports }) =>
        imports.map(name => /^(src\/main|test\/|bench\/)/.test(name) && `imports ${name}`),
      ),
    ).toEqual([]);
  });

  test('every import of ours names a file that exists, with its ending', () => {
    const migrations = [...new Bun.Glob('src/adapters/*/migrations/*.sql').scanSync({ cwd: root })];
    const styles = [...new Bun.Glob('src/console/page/*.css').scanSync({ cwd: root })];
    const known = new Set([
      ...ours.map(({ path }) => path),
      ...migrations,
      ...styles,
      'package.json',
      'schemas/published.json',
    ]);
    expect(
      offences(ours, ({ imports }) =>
        imports.map(name => /^(src|schemas|package)/.test(name) && !known.has(name) && `imports ${name}`),
      ),
    ).toEqual([]);
  });

  /** Libraries that are no drivers, and who may use them: files, or a whole room. What is not named here belongs to the adapters. */
  const libraries: Readonly<Record<string, readonly string[]>> = {
    elysia: ['src/http/listener.ts'],
    'swagger-ui-dist': ['src/http/apidocs.ts'],
    preact: ['src/console/page/'],
    uplot: ['src/console/page/'],
    pino: ['src/process/telemetry.ts', 'src/process/terminal-log.ts'],
    'pino-pretty': ['src/process/terminal-log.ts'],
    '@elastic/ecs-pino-format': ['src/process/telemetry.ts'],
    'prom-client': ['src/process/telemetry.ts', 'src/process/counts.ts'],
    'fastest-levenshtein': ['schemas/nearest.ts'],
    'jsonc-parser': [
      'src/record/json.ts',
      'schemas/from-file.ts',
      'schemas/file-part.ts',
      'src/ingest/segment/mapping.ts',
    ],
    '@bufbuild/protobuf': ['src/ingest/otlp/protobuf.ts'],
    bowser: ['src/ingest/client/agent.ts'],
    isbot: ['src/ingest/client/agent.ts'],
    'mmdb-lib': ['src/ingest/client/country.ts'],
    'hdr-histogram-js': ['src/load/tally.ts'],
    jose: ['src/door/tokens/key-finders.ts', 'src/door/tokens/token.ts'],
    '@sinclair/typebox': [
      'schemas/event.ts',
      'schemas/field.ts',
      'schemas/misfit.ts',
      'schemas/published.ts',
      'src/door/json-file.ts',
      'src/door/keys/keys-file.ts',
      'src/door/rules/rules-file.ts',
      'src/operate/import-mapping.ts',
    ],
  };

  test('a library is imported where it belongs, elysia by the listener alone, and drivers by adapters alone', () => {
    const wrong = offences(ours, ({ path, imports }) =>
      imports
        .filter(name => !isOurs(name) && !name.startsWith('node:'))
        .map(name => {
          const users = libraries[packageOf(name)];
          const mayUse =
            users === undefined
              ? path.startsWith('src/adapters/')
              : users.some(user => (user.endsWith('/') ? path.startsWith(user) : path === user));
          return !mayUse && `imports ${name}`;
        }),
    );
    expect(wrong).toEqual([]);
  });

  test('Bun’s built-in drivers are used in adapters alone', () => {
    const drivers = /\bbun:(sqlite|ffi)\b|\bBun\.(SQL|sql|redis|RedisClient|S3Client|s3)\b|\bnode:sqlite\b/;
    const elsewhere = inside.filter(({ path }) => !path.startsWith('src/adapters/'));
    expect(offences(elsewhere, source => [drivers.test(code(source)) && 'uses a driver'])).toEqual([]);
  });

  test('what is imported is installed on purpose, and what is installed is imported', () => {
    const usedBy = (sources: readonly Source[]) =>
      new Set(
        sources
          .flatMap(({ imports }) => imports)
          .filter(name => !name.startsWith('.') && !isOurs(name) && !/^(node|bun):|^bun$/.test(name))
          .map(packageOf),
      );
    const installed = Object.keys(packageJson.dependencies);
    const used = usedBy(ours);
    expect([...used].filter(name => !installed.includes(name))).toEqual([]);
    /** Used otherwise than by an import. */
    const known: Readonly<Record<string, string>> = {
      chdb: 'its engine is linked into dist/lib by the build',
      '@biomejs/biome': 'npm run check',
      typescript: 'npm run check',
      'bun-types': 'tsconfig.json',
      '@types/autocannon': 'types of autocannon',
      '@types/oidc-provider': 'types of oidc-provider',
      uplot: 'the charts of the console’s page, and of the pictures',
      '@xterm/xterm': 'the terminal in the pictures, bench/pictures',
      '@segment/analytics-next': 'its bundle, in the page of test/browser/segment.test.ts',
      'hls.js': 'its bundle, in the page of test/browser/players.test.ts',
      'shaka-player': 'its bundle, in the page of test/browser/players.test.ts',
      'video.js': 'its bundle, in the page of test/browser/players.test.ts',
    };
    expect(installed.filter(name => !used.has(name) && known[name] === undefined)).toEqual([]);
    const usedAnywhere = usedBy([...ours, ...sourcesIn('test'), ...sourcesIn('bench'), ...sourcesIn('.ci')]);
    const forDevelopment = Object.keys(packageJson.devDependencies);
    expect(forDevelopment.filter(name => !usedAnywhere.has(name) && known[name] === undefined)).toEqual([]);
  });
});

describe('a file', () => {
  test('is named for one thing: no index, utils, common, helpers or misc', () => {
    expect(
      ours
        .map(({ path }) => path)
        .filter(path => /(^|\/)(index|utils?|common|helpers?|misc|shared|lib)(\.|\/|-)/.test(path)),
    ).toEqual([]);
  });

  test('is named in kebab-case and ends in .ts', () => {
    expect(ours.map(({ path }) => path).filter(path => !/^[a-z0-9]+([-/][a-z0-9]+)*(\.d)?\.tsx?$/.test(path))).toEqual(
      [],
    );
  });

  /** With the reason. */
  const long: Readonly<Record<string, string>> = {};

  test('has 300 lines at most', () => {
    const wrong = ours.filter(({ path, lines }) => lines.length > 300 && long[path] === undefined);
    expect(wrong.map(({ path, lines }) => `${path}: ${lines.length} lines`)).toEqual([]);
    expect(Object.keys(long).filter(path => !ours.some(file => file.path === path && file.lines.length > 300))).toEqual(
      [],
    );
  });

  /** `file function`, with the reason. */
  const longFunctions: Readonly<Record<string, string>> = {
    'src/adapters/disk/log/store.ts storeOver': 'what the store does, all over one connection, in one scope',
    'src/adapters/kafka/read/source.ts kafkaSource': 'the parts of the reader, each made of the others, in one scope',
  };

  test('has no function of more than 70 lines, those of the functions in it not counted', () => {
    const wrong = ours.flatMap(source =>
      functionsIn(source.lines)
        .filter(({ ownLines }) => ownLines > 70)
        .map(({ name, ownLines }) => ({ at: `${source.path} ${name}`, ownLines })),
    );
    expect(wrong.filter(({ at }) => longFunctions[at] === undefined)).toEqual([]);
    expect(Object.keys(longFunctions).filter(known => !wrong.some(({ at }) => at === known))).toEqual([]);
  });

  test('is measured whatever its functions look like', () => {
    const body = Array.from({ length: 71 }, () => '  x();');
    const long: readonly (readonly [string, string])[] = [
      ['function f(): void {', '}'],
      ['export async function f<T>(a: T): Promise<void> {', '}'],
      ['function f(\n  a: number,\n): void {', '}'],
      ['function f({\n  a,\n  b,\n}: Options): void {', '}'],
      ['const f = (): void => {', '};'],
      ['export const f = async <T>(\n  a: T,\n): Promise<void> => {', '};'],
      ['export const f = command(flags, async ({ a }) => {', '});'],
      ['f(one, two): void {', '},'],
    ];
    for (const [head, end] of long) {
      const lines = [...head.split('\n'), ...body, end];
      expect({ head, isLong: functionsIn(lines).some(({ ownLines }) => ownLines > 70) }).toEqual({
        head,
        isLong: true,
      });
      const short = [...head.split('\n'), ...body.slice(0, 60), end];
      expect({ head, isLong: functionsIn(short).some(({ ownLines }) => ownLines > 70) }).toEqual({
        head,
        isLong: false,
      });
    }
    const blocks = ['if (a) {', ...body, '} else {', ...body, '}', 'for (;;) {', ...body, '}'];
    expect(functionsIn(blocks)).toEqual([]);
  });

  test('opens with what it is for, unless it is very short or is one event type', () => {
    const open = ours.filter(({ path, lines }) => lines.length >= 15 && !/^schemas\/[^/]+\//.test(path));
    expect(offences(open, ({ lines }) => [!/^(\/\/|\/\*)/.test(lines[0]!) && `opens with ${lines[0]}`])).toEqual([]);
  });

  test('leaves nothing to be done: no TODO, FIXME or XXX', () => {
    expect(
      offences(ours, ({ lines }) =>
        lines.map((line, at) => /\b(TODO|FIXME|XXX|HACK)\b/.test(line) && `line ${at + 1}`),
      ),
    ).toEqual([]);
  });

  test('has no names that mean nothing: Manager, Service, Helper, Processor, and no I in front of an interface', () => {
    const names = /\b(?:class|interface|type|function|const)\s+(\w*(?:Manager|Service|Helper|Processor)\b|I[A-Z]\w*)/;
    expect(offences(ours, source => [names.test(code(source)) && (names.exec(code(source))?.[1] ?? '')])).toEqual([]);
  });
});

/** Names of brokers, and where they may stand: the adapters, the switch between them, settings, and what people are told. */
test('the parts that work with any broker name none', () => {
  const rooms = /^src\/(log|mover|ports|record|http|ingest|catalogue|process|errors)\b/;
  const known: Readonly<Record<string, string>> = {
    'src/ports/log.ts': 'the names that answers call brokers by',
    'src/ports/transport.ts': 'an example of a transport',
    'src/record/snappy.ts': 'whose layout of Snappy it reads',
  };
  const naming = inside.filter(({ path, text }) => rooms.test(path) && /kafka/i.test(text)).map(({ path }) => path);
  expect(naming).toEqual(Object.keys(known));
});

test('every path that a page names exists', () => {
  const pages = ['*.md', '{docs,src,schemas,test,bench,sdk,deploy}/**/*.md'].flatMap(glob => [
    ...new Bun.Glob(glob).scanSync({ cwd: root }),
  ]);
  expect(pages).toContain('README.md');
  const lost = pages.flatMap(page =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/`((?:src|schemas|test|bench|deploy|docs|sdk)\/[\w./-]+)`/g)]
      .map(([, path]) => path!)
      .filter(path => !existsSync(join(root, path)))
      .map(path => `${page}: ${path}`),
  );
  expect(lost).toEqual([]);
});

describe('only one place', () => {
  const except = (...paths: string[]) => inside.filter(({ path }) => !paths.includes(path));

  test('falls down at a bug: the server’s ending', () => {
    expect(
      offences(except('src/process/ending.ts'), source => [
        /\bprocess\s*\.\s*abort\b/.test(code(source)) && 'falls down',
      ]),
    ).toEqual([]);
  });

  test('ends the process: main', () => {
    expect(
      offences(except('src/main.ts'), source => [
        /\bprocess\s*\.\s*(exit|exitCode)\b/.test(code(source)) && 'ends the process',
      ]),
    ).toEqual([]);
  });

  test('asks over HTTP: query, in the words that its answer is drawn from, who watches an instance, the door, an issuer, Pulsar its admin API, HDFS and S3, a collector, doctor a running instance, the console’s page its server; ClickHouse is asked through its client', () => {
    expect(
      offences(
        except(
          'src/operate/query.ts',
          'src/operate/tables.ts',
          'src/operate/watch.ts',
          'src/door/tokens/issuer.ts',
          'src/adapters/pulsar/connect/admin.ts',
          'src/adapters/webhdfs/rest.ts',
          'src/adapters/s3/request.ts',
          'src/adapters/otlp/send.ts',
          'src/operate/doctor/instance.ts',
        ).filter(({ path }) => !path.startsWith('src/console/page/')),
        source => [/\b(?:await|return) fetch\(/.test(code(source)) && 'asks over HTTP by itself'],
      ),
    ).toEqual([]);
  });

  test('puts a file in the place of another: process/file.ts, the buffer, which moves its own, and the cold folder, which links', () => {
    const outside = except('src/process/file.ts').filter(
      ({ path }) => !/^src\/adapters\/(disk|cold-folder)\//.test(path),
    );
    expect(
      offences(outside, source => [/\b(rename|link)(Sync)?\(/.test(code(source)) && 'replaces a file by itself']),
    ).toEqual([]);
  });

  test('reads the environment: main, for config and settings', () => {
    const reads = /\bprocess\s*\.\s*env\b|\bBun\s*\.\s*env\b|\bimport\.meta\.env\b|\bprocess\s*\[\s*['"]env/;
    expect(
      offences(except('src/main.ts', 'src/config/read.ts', 'src/config/parse.ts'), source => [
        reads.test(code(source)) && 'reads the environment',
      ]),
    ).toEqual([]);
  });

  test('writes lines: the logger, or main and a command to stdout; nobody to the console', () => {
    expect(
      offences(ours, source => [/(?<![/.])\bconsole\s*\.\s*(?!ts\b)\w+/.test(code(source)) && 'writes to the console']),
    ).toEqual([]);
  });

  test('names the classes: errors', () => {
    const classes = /\bclass\s+(\w+)(\s+extends\s+\w*Error)?/;
    const wrong = offences(ours, source => {
      const found = classes.exec(code(source));
      return [found !== null && found[2] === undefined && `class ${found[1]}`];
    });
    expect(wrong).toEqual([]);
  });
});
