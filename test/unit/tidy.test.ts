// Reads the source tree and holds it to the rules of the house: who may import whom, what a file is called, how long it
// is, what it opens with, and the few things only one place may do.

import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
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
  const wiring = [
    'src/main.ts',
    'src/operate/buffers.ts',
    'src/serve.ts',
    'src/roles/storage.ts',
    'src/roles/kafka.ts',
    'src/catalogue/topics.ts',
    'src/catalogue/judges.ts',
    'src/catalogue/follow-types.ts',
    'src/catalogue/run-time-types.ts',
    'src/catalogue/type-folder.ts',
    'src/roles/lookup.ts',
    'src/roles/ledger.ts',
    'src/roles/refreshes.ts',
    'src/roles/clock-watch.ts',
    'src/roles/stranded.ts',
    'src/roles/scrape.ts',
  ];
  const rooms = ['ingest', 'etl', 'content', 'archive', 'operate', 'console'];
  const ground = [
    'src/ports/ports.ts',
    'src/process/build.ts',
    'src/ports/buffer-file.ts',
    'src/ports/event-tables.ts',
    'src/errors.ts',
    'src/process/address.ts',
    'src/process/telemetry.ts',
    'schemas/nearest.ts',
    'src/process/sleep.ts',
    'src/process/spacing.ts',
    'src/record/json.ts',
    'src/record/stamp.ts',
    'src/http/client-address.ts',
  ];
  const settings = [
    'src/config/config.ts',
    'src/config/settings.ts',
    'src/config/contradictions.ts',
    'src/config/from.ts',
  ];

  /** What a file may import of ours; null = everything but main. */
  function allowed(path: string): readonly string[] | null {
    if (wiring.includes(path)) return null;
    const room = path.split('/')[1]!;
    if (path.startsWith('schemas/')) return ['schemas/', 'src/ports/ports.ts', 'schemas/nearest.ts'];
    if (room === 'adapters') return [...ground, 'src/adapters/'];
    if (room === 'operate')
      return [
        ...ground,
        ...settings,
        'schemas/',
        'src/operate/',
        'src/adapters/',
        'src/process/instance.ts',
        'src/catalogue/type-folder.ts',
      ];
    if (rooms.includes(room)) return [...ground, 'src/config/config.ts', 'schemas/', `src/${room}/`];
    return [...ground, ...settings];
  }

  test('the wiring imports everything; a room the ground and itself; an adapter the ground and adapters', () => {
    const wrong = offences(ours, ({ path, imports }) => {
      const may = allowed(path);
      return imports
        .filter(name => name.startsWith('src/') || name.startsWith('schemas/') || name.startsWith('..'))
        .map(
          name =>
            may !== null &&
            !may.some(item => name === item || (item.endsWith('/') && name.startsWith(item))) &&
            `imports ${name}`,
        );
    });
    expect(wrong).toEqual([]);
  });

  test('nobody imports main, nor a test', () => {
    expect(
      offences(ours, ({ imports }) =>
        imports.map(name => /^(src\/main|test\/|bench\/)/.test(name) && `imports ${name}`),
      ),
    ).toEqual([]);
  });

  test('every import of ours names a file that exists, with its ending', () => {
    const known = new Set([...ours.map(({ path }) => path), 'package.json', 'schemas/published.json']);
    expect(
      offences(ours, ({ imports }) =>
        imports.map(name => /^(src|schemas|package)/.test(name) && !known.has(name) && `imports ${name}`),
      ),
    ).toEqual([]);
  });

  /** Libraries that are no drivers, and who may use them. What is not named here belongs to the adapters. */
  const libraries: Readonly<Record<string, readonly string[]>> = {
    elysia: ['src/http/server.ts'],
    'swagger-ui-dist': ['src/http/apidocs.ts'],
    pino: ['src/process/telemetry.ts'],
    '@elastic/ecs-pino-format': ['src/process/telemetry.ts'],
    'prom-client': ['src/process/telemetry.ts'],
    'fastest-levenshtein': ['schemas/nearest.ts'],
    'jsonc-parser': ['src/record/json.ts', 'schemas/from-file.ts', 'schemas/file-part.ts'],
    '@sinclair/typebox': ['schemas/event.ts', 'schemas/field.ts', 'schemas/misfit.ts', 'schemas/published.ts'],
  };
  const packageOf = (name: string): string => name.split('/', name.startsWith('@') ? 2 : 1).join('/');
  const isOurs = (name: string): boolean => /^(src|schemas)\/|^package\.json$/.test(name);

  test('a library is imported where it belongs, elysia by the server alone, and drivers by adapters alone', () => {
    const wrong = offences(ours, ({ path, imports }) =>
      imports
        .filter(name => !isOurs(name) && !name.startsWith('node:'))
        .map(name => {
          const users = libraries[packageOf(name)];
          const mayUse = users === undefined ? path.startsWith('src/adapters/') : users.includes(path);
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
    const installed = Object.keys(packageJson.dependencies);
    const used = new Set(
      ours
        .flatMap(({ imports }) => imports)
        .filter(name => !isOurs(name) && !/^(node|bun):|^bun$/.test(name))
        .map(packageOf),
    );
    expect([...used].filter(name => !installed.includes(name))).toEqual([]);
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

  test('has 300 lines at most', () => {
    expect(offences(ours, ({ lines }) => [lines.length > 300 && `${lines.length} lines`])).toEqual([]);
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

  test('reads the environment: main, for config and settings', () => {
    const reads = /\bprocess\s*\.\s*env\b|\bBun\s*\.\s*env\b|\bimport\.meta\.env\b|\bprocess\s*\[\s*['"]env/;
    expect(
      offences(except('src/main.ts', 'src/config/config.ts', 'src/config/settings.ts'), source => [
        reads.test(code(source)) && 'reads the environment',
      ]),
    ).toEqual([]);
  });

  test('writes lines: the logger, or main and a command to stdout; nobody to the console', () => {
    expect(offences(ours, source => [/\bconsole\s*\.\s*\w+/.test(code(source)) && 'writes to the console'])).toEqual(
      [],
    );
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
