import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytes, choice, choices, flag, integer, type Setting, text } from '../../../src/config/kinds.ts';
import { envName, flagName, parseSettings } from '../../../src/config/parse.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ugc-settings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const settings = {
  port: integer({ default: 8080, min: 0, max: 65535, help: '' }),
  bodyBytesMax: bytes({ default: '2MiB', min: '1KiB', max: '1GiB', help: '' }),
  mode: choice({ of: ['reject', 'drop'], default: 'reject', help: '' }),
  role: choices({ of: ['all', 'ingest', 'etl'], default: 'all', help: '' }),
  requestLog: flag({ default: true, help: '' }),
  name: text({ default: '', takes: 'a name of letters', pattern: /^[a-z]*$/, help: '' }),
  password: text({ default: '', takes: 'a password of letters', pattern: /^[a-z]*$/, secret: true, help: '' }),
};

const parse = (flags: readonly string[] = [], env: Record<string, string | undefined> = {}) =>
  parseSettings(settings, { flags, env });

function valuesOf(flags: readonly string[] = [], env: Record<string, string | undefined> = {}) {
  const parsed = parse(flags, env);
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.values;
}

function problemsOf(flags: readonly string[] = [], env: Record<string, string | undefined> = {}): readonly string[] {
  const parsed = parse(flags, env);
  if (parsed.ok) throw new Error('no problem was found');
  return parsed.problems;
}

test('a setting has one name in its spellings', () => {
  expect(['port', 'bodyBytesMax', 'clickhouseHttpPort'].map(key => [envName(key), flagName(key)])).toEqual([
    ['UGC_PORT', '--port'],
    ['UGC_BODY_BYTES_MAX', '--body-bytes-max'],
    ['UGC_CLICKHOUSE_HTTP_PORT', '--clickhouse-http-port'],
  ]);
});

test('nothing given is the defaults, and nothing counts as given', () => {
  const parsed = parse();
  expect(parsed).toEqual({
    ok: true,
    values: {
      port: 8080,
      bodyBytesMax: 2 ** 21,
      mode: 'reject',
      role: ['all'],
      requestLog: true,
      name: '',
      password: '',
    },
    given: new Set(),
  });
  expect(parsed.ok && Object.isFrozen(parsed.values)).toBe(true);
});

describe('of the places a setting can be given in', () => {
  const file = () => write('three.env', '# a comment\nUGC_PORT=1\nUGC_NAME="file"\nUGC_MODE=drop\nOTHER=x\n');

  test('a flag beats the environment, and the environment the file', () => {
    const env = { UGC_ENV_FILE: file(), UGC_PORT: '2', UGC_NAME: 'env' };
    expect(valuesOf([], { UGC_ENV_FILE: file() })).toMatchObject({ port: 1, name: 'file', mode: 'drop' });
    expect(valuesOf([], env)).toMatchObject({ port: 2, name: 'env', mode: 'drop' });
    expect(valuesOf(['--port=3'], env)).toMatchObject({ port: 3, name: 'env', mode: 'drop' });
  });

  test('the file is named by flag or environment, the flag first', () => {
    const other = write('other.env', 'UGC_PORT=9');
    expect(valuesOf([`--env-file=${other}`])).toMatchObject({ port: 9 });
    expect(valuesOf([`--env-file=${other}`], { UGC_ENV_FILE: file() })).toMatchObject({ port: 9, name: '' });
  });

  test('those given are known by name, the default’s value or not', () => {
    const parsed = parse(['--port=8080'], { UGC_MODE: 'reject' });
    expect(parsed.ok && parsed.given).toEqual(new Set(['port', 'mode']));
  });

  test('the last of two flags counts', () => {
    expect(valuesOf(['--port=1', '--port=2']).port).toBe(2);
  });

  test('a flag’s value may hold equals signs', () => {
    expect(problemsOf(['--name=a=b'])).toEqual(['UGC_NAME (--name) must be a name of letters, not "a=b"']);
  });

  test('names without UGC_ and those of tests are none of ours', () => {
    expect(valuesOf([], { PORT: 'x', ugc_port: 'x', UGC_TEST_SEED: '1', UGC_PORT: undefined }).port).toBe(8080);
  });
});

describe('a secret', () => {
  test('can be the content of a file, without the newline at its end', () => {
    const path = write('password', 'hush\n');
    expect(valuesOf([], { UGC_PASSWORD_FILE: path }).password).toBe('hush');
    expect(valuesOf([`--env-file=${write('secret.env', `UGC_PASSWORD_FILE=${path}`)}`]).password).toBe('hush');
    expect(valuesOf(['--password=flag'], { UGC_PASSWORD_FILE: path }).password).toBe('flag');
  });

  test('is in no problem’s text, wherever it came from', () => {
    const secret = 's3cret!';
    const file = write('bad-password', `${secret}\n`);
    for (const problems of [
      problemsOf([`--password=${secret}`, '--port=x']),
      problemsOf([], { UGC_PASSWORD: secret }),
      problemsOf([], { UGC_PASSWORD_FILE: file }),
      problemsOf([`--env-file=${write('bad.env', `UGC_PASSWORD=${secret}`)}`]),
      problemsOf([`--pasword=${secret}`]),
      problemsOf([], { UGC_PASWORD: secret }),
    ])
      expect(problems.join('\n')).not.toContain(secret);
    expect(problemsOf([`--password=${secret}`])).toEqual(['UGC_PASSWORD (--password) must be a password of letters']);
  });

  test('in a file that cannot be read is a problem that names the file', () => {
    const [problem] = problemsOf([], { UGC_PASSWORD_FILE: '/nowhere/password' });
    expect(problem).toStartWith('UGC_PASSWORD_FILE names a file that cannot be read:');
    expect(problem).toContain('/nowhere/password');
  });

  test('is what a file is for: no other setting takes one', () => {
    expect(problemsOf([], { UGC_PORT_FILE: '/etc/passwd' })).toEqual([
      'UGC_PORT_FILE in the environment is not a setting: only secrets can be in a file of their own, use UGC_PORT',
    ]);
  });
});

describe('a mistake', () => {
  test('is told with all the others at once', () => {
    const file = write('mistakes.env', 'UGC_MODE=maybe\nUGC_PROT=1\n');
    expect(
      problemsOf(['--port=abc', '--nmae=x', '--role', `--env-file=${file}`], {
        UGC_BODY_BYTES_MAX: '1B',
        UGC_ROLLE: 'x',
      }),
    ).toEqual([
      '--nmae is not a flag; did you mean --name?',
      '--role needs a value: --role=…',
      'UGC_PROT in the env file is not a setting; did you mean UGC_PORT?',
      'UGC_ROLLE in the environment is not a setting; did you mean UGC_ROLE?',
      'UGC_PORT (--port) must be a whole number from 0 to 65535, not "abc"',
      'UGC_BODY_BYTES_MAX (--body-bytes-max) must be a size from 1KiB to 1GiB, like 64KiB or 65536, not "1B"',
      'UGC_MODE (--mode) must be reject or drop, not "maybe"',
    ]);
  });

  test('in the name of the env file’s flag is near to it too', () => {
    expect(problemsOf(['--envfile=x'])).toEqual(['--envfile is not a flag; did you mean --env-file?']);
    expect(problemsOf(['--env-file'])).toEqual(['--env-file needs a value: --env-file=…']);
  });

  test('of a file that is not there is told with its path', () => {
    expect(problemsOf(['--env-file=/nowhere/x.env'])[0]).toContain('/nowhere/x.env');
    expect(problemsOf([], { UGC_ENV_FILE: folder })[0]).toContain(folder);
  });

  test('of keys that mean something to JavaScript is a mistake like any other', () => {
    expect(problemsOf(['--constructor=1', '--__proto__=1'])).toHaveLength(2);
    expect(problemsOf([], { UGC___PROTO__: '1', UGC_CONSTRUCTOR: '1' })).toHaveLength(2);
  });
});

/** What a setting makes of a text, or 'refused'. */
function made<T>(setting: Setting<T>, given: string): T | 'refused' {
  try {
    return setting.parse(given);
  } catch {
    return 'refused';
  }
}

describe('bounds', () => {
  test.each([
    ['0', 0],
    ['65535', 65535],
    ['007', 7],
    ['65536', 'refused'],
    ['-1', 'refused'],
    ['', 'refused'],
    [' 1', 'refused'],
    ['1 ', 'refused'],
    ['1.0', 'refused'],
    ['1e3', 'refused'],
    ['0x10', 'refused'],
    ['١', 'refused'],
    ['1_000', 'refused'],
    ['99999999999999999999', 'refused'],
    ['NaN', 'refused'],
    ['Infinity', 'refused'],
  ] as const)('of a whole number: %j is %p', (given, value) => {
    expect(made(settings.port, given)).toBe(value);
  });

  test.each([
    ['1KiB', 1024],
    ['1024', 1024],
    ['2MiB', 2 ** 21],
    ['1GiB', 2 ** 30],
    ['1023', 'refused'],
    ['0', 'refused'],
    ['2GiB', 'refused'],
    ['1TiB', 'refused'],
    ['1073741825', 'refused'],
    ['', 'refused'],
    ['KiB', 'refused'],
    ['1kib', 'refused'],
    ['1KB', 'refused'],
    ['1K', 'refused'],
    ['1 KiB', 'refused'],
    ['1.5MiB', 'refused'],
    ['-1KiB', 'refused'],
  ] as const)('of a size: %j is %p', (given, value) => {
    expect(made(settings.bodyBytesMax, given)).toBe(value);
  });

  test.each([
    ['reject', 'reject'],
    ['drop', 'drop'],
    ['', 'refused'],
    ['Drop', 'refused'],
    ['reject,drop', 'refused'],
    ['toString', 'refused'],
  ] as const)('of a choice: %j is %p', (given, value) => {
    expect(made(settings.mode, given)).toBe(value);
  });

  test.each([
    ['all', ['all']],
    ['ingest,etl', ['ingest', 'etl']],
    [' ingest , etl ', ['ingest', 'etl']],
    ['etl,etl', ['etl']],
    ['', 'refused'],
    ['ingest,', 'refused'],
    ['ingest;etl', 'refused'],
    ['ingest,x', 'refused'],
  ] as const)('of several choices: %j is %p', (given, value) => {
    expect(made(settings.role, given)).toEqual(value as never);
  });

  test.each([
    ['true', true],
    ['false', false],
    ['', 'refused'],
    ['1', 'refused'],
    ['yes', 'refused'],
    ['TRUE', 'refused'],
  ] as const)('of a flag: %j is %p', (given, value) => {
    expect(made(settings.requestLog, given)).toBe(value);
  });

  test('of a flag: naming it is saying true', () => {
    expect(valuesOf(['--request-log'], { UGC_REQUEST_LOG: 'false' }).requestLog).toBe(true);
    expect(valuesOf(['--request-log=false']).requestLog).toBe(false);
  });
});
