import { describe, expect, test } from 'bun:test';
import { type Config, settings } from '../../../src/config/config.ts';
import { envName, flagName } from '../../../src/config/parse.ts';
import { configTable, readConfig } from '../../../src/config/read.ts';
import { configHelp, configMarkdown } from '../../../src/operate/help.ts';
import { isLoopback } from '../../../src/process/address.ts';

function configOf(...flags: string[]): Config {
  const result = readConfig({ flags, env: {} });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

function problemsOf(flags: readonly string[], env: Record<string, string> = {}): readonly string[] {
  const result = readConfig({ flags, env });
  if (result.ok) throw new Error('no problem was found');
  return result.problems;
}

describe('with nothing set', () => {
  test('the limits are those of the contract', () => {
    expect(configOf()).toMatchObject({
      role: ['all'],
      host: '127.0.0.1',
      port: 8080,
      dataDir: './ugc-data',
      auth: ['none'],
      shutdownTimeoutMs: 10_000,
      eventBytesMax: 65_536,
      bodyBytesMax: 2 * 2 ** 20,
      bodyDecompressedBytesMax: 16 * 2 ** 20,
      bodyEventsMax: 5_000,
      bodyTimeoutMs: 10_000,
      jsonDepthMax: 16,
      eventAgeMaxDays: 1825,
      eventFutureMaxHours: 24,
      unknownFields: 'reject',
      topic: 'ugc.{event_type}',
      bufferBytesMax: 4 * 2 ** 30,
      bufferDiskReserveBytes: 512 * 2 ** 20,
      clickhouseUrl: '',
      clickhouseDatabase: 'ugc',
      clickhouseMigrate: 'auto',
    });
  });

  test('nothing can be changed afterwards', () => {
    expect(Object.isFrozen(configOf())).toBe(true);
  });

  test('each default is one its own setting takes', () => {
    for (const [key, setting] of Object.entries(settings))
      expect(() => setting.parse(setting.defaultText), key).not.toThrow();
  });
});

describe('listening where others can reach it', () => {
  test('needs a word on who may send', () => {
    for (const host of ['0.0.0.0', '::', '192.168.0.1', 'example.com', '127.example.com', '1270.0.0.1', '128.0.0.1']) {
      expect(problemsOf([`--host=${host}`])[0]).toContain('UGC_AUTH');
      expect(configOf(`--host=${host}`, '--auth=none').host).toBe(host);
      expect(readConfig({ flags: [], env: { UGC_HOST: host, UGC_AUTH: 'none' } }).ok).toBe(true);
    }
  });

  test('needs it for the port of the embedded ClickHouse, too, where there is one', () => {
    const open = '--clickhouse-http-host=0.0.0.0';
    expect(problemsOf([open])).toEqual([expect.stringContaining('UGC_CLICKHOUSE_HTTP_HOST')]);
    expect(problemsOf([open])[0]).toContain('UGC_AUTH');
    expect(problemsOf([open, '--host=::'])).toHaveLength(2);
    expect(configOf(open, '--auth=none').clickhouseHttpHost).toBe('0.0.0.0');
    expect(configOf(open, '--clickhouse-http-port=-1').auth).toEqual(['none']);
    expect(configOf(open, '--clickhouse-url=http://clickhouse:8123').auth).toEqual(['none']);
    expect(configOf('--clickhouse-http-host=127.0.0.7').auth).toEqual(['none']);
  });

  test('is not what loopback does', () => {
    for (const host of ['127.0.0.1', '127.0.0.53', '::1', 'localhost']) {
      expect(isLoopback(host)).toBe(true);
      expect(configOf(`--host=${host}`).auth).toEqual(['none']);
    }
  });
});

describe('settings that contradict each other', () => {
  test('are told all at once', () => {
    expect(
      problemsOf([
        '--host=0.0.0.0',
        '--body-bytes-max=4MiB',
        '--body-decompressed-bytes-max=2MiB',
        '--event-bytes-max=3MiB',
      ]),
    ).toEqual([
      expect.stringContaining('UGC_AUTH'),
      expect.stringContaining('UGC_BODY_DECOMPRESSED_BYTES_MAX must not be smaller than UGC_BODY_BYTES_MAX'),
      expect.stringContaining('UGC_EVENT_BYTES_MAX must not be larger than UGC_BODY_DECOMPRESSED_BYTES_MAX'),
    ]);
  });

  test('may be equal', () => {
    const flags = ['--body-bytes-max=2MiB', '--body-decompressed-bytes-max=2MiB', '--event-bytes-max=2MiB'];
    expect(configOf(...flags).eventBytesMax).toBe(2 ** 21);
  });
});

test('the ClickHouse password is a secret: from a file, never in a problem', () => {
  expect(settings.clickhousePassword.secret).toBe(true);
  expect(problemsOf(['--clickhouse-pasword=hush'], { UGC_CLICKHOUSE_PASSWORDS: 'hush' }).join('\n')).not.toContain(
    'hush',
  );
});

test.each([
  ['--topic=ugc events', 'UGC_TOPIC'],
  ['--topic=', 'UGC_TOPIC'],
  ['--topic={type}', 'UGC_TOPIC'],
  ['--clickhouse-url=localhost:8123', 'UGC_CLICKHOUSE_URL'],
  ['--clickhouse-database=a; DROP', 'UGC_CLICKHOUSE_DATABASE'],
  ['--clickhouse-database=1a', 'UGC_CLICKHOUSE_DATABASE'],
  ['--data-dir=', 'UGC_DATA_DIR'],
  ['--host=', 'UGC_HOST'],
  ['--role=none', 'UGC_ROLE'],
  ['--port=70000', 'UGC_PORT'],
  ['--json-depth-max=1', 'UGC_JSON_DEPTH_MAX'],
  ['--etl-block-rows-max=0', 'UGC_ETL_BLOCK_ROWS_MAX'],
])('%s is refused by name', (flag, name) => {
  expect(problemsOf([flag])).toEqual([expect.stringContaining(name)]);
});

describe('the table for people', () => {
  const rows = configTable();

  test('has every setting once, with a name, bounds and a meaning', () => {
    expect(rows.map(row => row.env)).toEqual(Object.keys(settings).map(envName));
    expect(rows.map(row => row.flag)).toEqual(Object.keys(settings).map(flagName));
    expect(new Set(rows.map(row => row.env)).size).toBe(rows.length);
    for (const row of rows) {
      expect(row.env).toMatch(/^UGC(_[A-Z0-9]+)+$/);
      expect(row.flag).toMatch(/^--[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(row.takes.length, row.env).toBeGreaterThan(0);
      expect(row.help.length, row.env).toBeGreaterThan(10);
    }
  });

  test('is what help prints, in both forms', () => {
    const [help, markdown] = [configHelp(), configMarkdown()];
    for (const { env, flag, default: value, help: meaning } of rows) {
      expect(help).toContain(`  ${flag} `);
      expect(help).toContain(`${env} · `);
      expect(help).toContain(meaning);
      expect(markdown).toContain(`| \`${env}\` | \`${flag}\` | ${value === '' ? '' : `\`${value}\``} |`);
    }
    for (const line of markdown.split('\n').slice(2)) expect(line.replaceAll('\\|', '').split('|')).toHaveLength(7);
  });

  test('says in each name what unit it is in, where there is one', () => {
    for (const row of rows) {
      if (row.takes.startsWith('bytes')) expect(row.env).toMatch(/_BYTES(_|$)/);
      if (/timeout|interval/i.test(row.env)) expect(row.env).toEndWith('_MS');
    }
  });
});
