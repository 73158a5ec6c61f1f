// What every SinkWithDeadLetters does, whatever engine is behind it.

import { describe, expect, test } from 'bun:test';
import { PipelineError } from '../../src/errors.ts';
import type { DeadLetter, SinkWithDeadLetters } from '../../src/ports/sink.ts';
import type { TableDefinition } from '../../src/ports/tables.ts';
import { oddLine, oddTable, oddValues } from '../support/odd-rows.ts';
import { blockOf, seenBlock, seenLine, seenRows, seenTable } from '../support/rows.ts';

export interface SinkOptions {
  readonly database: string;
  readonly tables?: readonly TableDefinition[];
  readonly migrate?: 'auto' | 'check' | 'off';
  readonly timeoutMs?: number;
}

export interface SinkUnderTest {
  sink(options: SinkOptions): SinkWithDeadLetters;
  /** Runs SQL; its rows as objects. */
  query<Row>(sql: string): Promise<Row[]>;
  command(sql: string): Promise<void>;
}

export const never = new AbortController().signal;

let databases = 0;
export const newDatabase = (): string => `contract_${++databases}`;

/** The PipelineError a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<PipelineError> {
  const outcome = await promise.then(
    () => 'it resolved',
    error => error,
  );
  expect(outcome).toBeInstanceOf(PipelineError);
  return outcome;
}

export function sinkContract(name: string, open: () => SinkUnderTest): void {
  async function prepared(options: Partial<SinkOptions> = {}) {
    const under = open();
    const database = newDatabase();
    const sink = under.sink({ database, ...options });
    await sink.prepare();
    const count = async (table = 'seen'): Promise<number> => {
      const [row] = await under.query<{ n: number }>(`SELECT toUInt32(count()) AS n FROM ${database}.${table}`);
      return row!.n;
    };
    return { ...under, under, database, sink, count };
  }

  describe(`the sink contract on ${name}`, () => {
    test('an insert that resolved can be read, field by field', async () => {
      const { sink, query, database } = await prepared();
      const properties = '{"a": 1.50,  "b":["\\u00e9é😀",{"c":null}], "n":12345678901234567890}';
      const id = Bun.randomUUIDv7();
      await sink.insert(seenBlock({ event_id: id, user_id: 'ü\t"\\\n', seconds: 0.1, properties }), 't1', never);
      expect(await query<Record<string, unknown>>(`SELECT * FROM ${database}.seen`)).toEqual([
        {
          event_id: id,
          event_type: 'seen',
          received_at: '2026-11-21 10:00:00.000',
          timestamp: '2026-11-21 09:59:59.123',
          user_id: 'ü\t"\\\n',
          seconds: 0.1,
          properties,
        },
      ]);
    });

    test('the chunks of a block may be cut anywhere', async () => {
      const { sink, count } = await prepared();
      const text = seenRows(20).map(seenLine).join('');
      const bytes = Buffer.from(text);
      const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7));
      await sink.insert({ type: 'seen', rows: 20, chunks }, 't', never);
      expect(await count()).toBe(20);
    });

    test('the same token twice stores once, physically', async () => {
      const { sink, count } = await prepared();
      const block = seenBlock(...seenRows(100));
      await sink.insert(block, 'same', never);
      await sink.insert(block, 'same', never);
      expect([await count('seen'), await count('seen_rows')]).toEqual([100, 100]);
    });

    test('the same token twice at once stores once', async () => {
      const { sink, count } = await prepared();
      const block = seenBlock(...seenRows(2_000));
      await Promise.all([sink.insert(block, 'same', never), sink.insert(block, 'same', never)]);
      expect([await count('seen'), await count('seen_rows')]).toEqual([2_000, 2_000]);
    });

    test('the same events in other blocks are one row each', async () => {
      const { sink, count } = await prepared();
      const rows = seenRows(50);
      await sink.insert(seenBlock(...rows), 'a', never);
      await sink.insert(seenBlock(...rows.slice(10), ...seenRows(5)), 'b', never);
      expect(await count()).toBe(55);
    });

    test('a large block lands as one part', async () => {
      const { sink, count, query, database } = await prepared();
      await sink.insert(seenBlock(...seenRows(70_000)), 'large', never);
      expect(await count()).toBe(70_000);
      const parts = await query(
        `SELECT toUInt32(rows) AS rows FROM system.parts WHERE database = '${database}' AND table = 'seen_rows' AND max_block_number = 1`,
      );
      expect(parts).toEqual([{ rows: 70_000 }]);
    });

    const bad: readonly [string, string][] = [
      ['a text for a number', seenLine().replace('"seconds":1', '"seconds":"x"')],
      ['a null where none may be', seenLine().replace('"event_type":"seen"', '"event_type":null')],
      ['no JSON at all', 'nope\n'],
      ['a cut line', seenLine().slice(0, -20)],
      ['an id that is none', seenLine({ event_id: 'x' })],
      ['a day that does not exist', seenLine({ timestamp: '2026-02-31T00:00:00Z' })],
      ['a field twice', seenLine().replace('"seconds":1', '"seconds":1,"seconds":2')],
    ];
    for (const [what, line] of bad)
      test(`one bad row (${what}) stores nothing of its block and is refused for good`, async () => {
        const { sink, count } = await prepared();
        const lines = [...seenRows(500).map(seenLine), line];
        const error = await failureOf(sink.insert(blockOf('seen', lines), 'bad', never));
        expect([error.code, error.retry]).toEqual(['sink_refused', 'never']);
        expect(await count('seen_rows')).toBe(0);
        expect((await sink.check(blockOf('seen', [line]), never))?.code).toBe('sink_refused');
      });

    test('rows cannot smuggle in a statement, and an empty line among them is none', async () => {
      const { sink, count, database } = await prepared();
      const lines = seenRows(2).map(seenLine);
      const drop = `DROP TABLE ${database}.seen_rows\n`;
      for (const body of [`\n\n${drop}`, `${lines[0]}\n${drop}`, `${lines[0]!.trim()};\n${drop}`, `\n${drop}\n`])
        expect((await failureOf(sink.insert(blockOf('seen', [body]), body, never))).code).toBe('sink_refused');
      expect(await count('seen_rows')).toBe(0);
      const block = { ...blockOf('seen', [lines[0]!, '\n', '\n', lines[1]!, '\n']), rows: 2 };
      await sink.insert(block, 'empty lines', never);
      await sink.insert(block, 'empty lines', never);
      expect([await count('seen'), await count('seen_rows')]).toEqual([2, 2]);
    });

    test('after a refusal the same token takes what is left of the block', async () => {
      const { sink, count } = await prepared();
      const good = seenRows(3).map(seenLine);
      await failureOf(sink.insert(blockOf('seen', [...good, 'nope\n']), 'token', never));
      await sink.insert(blockOf('seen', good), 'token', never);
      expect(await count('seen_rows')).toBe(3);
    });

    test('a field the catalogue does not know halts, and stores nothing', async () => {
      const { sink, count } = await prepared();
      const line = seenLine().replace('"seconds"', '"minutes":2,"seconds"');
      expect((await failureOf(sink.insert(blockOf('seen', [line]), 't', never))).code).toBe('sink_halted');
      expect(await count('seen_rows')).toBe(0);
    });

    test('a check stores nothing and finds nothing wrong with good rows', async () => {
      const { sink, count } = await prepared();
      expect(await sink.check(seenBlock(...seenRows(10)), never)).toBeNull();
      expect(await count('seen_rows')).toBe(0);
    });

    test('a check judges as the table does, whatever the columns are', async () => {
      const { sink, query, command, database, under } = await prepared();
      const wide = under.sink({ database, tables: [oddTable] });
      await wide.prepare();
      const verdicts: string[] = [];
      for (const [at, changes] of oddValues.entries()) {
        const block = blockOf('odd', [oddLine(changes)]);
        const codeOf = (error: unknown) => (error === null ? 'taken' : (error as PipelineError).code);
        const checked = await wide.check(block, never).then(codeOf, codeOf);
        const inserted = await wide.insert(block, `odd ${at}`, never).then(() => 'taken', codeOf);
        expect(`${JSON.stringify(changes)} ${checked}`).toBe(`${JSON.stringify(changes)} ${inserted}`);
        verdicts.push(checked);
      }
      expect(new Set(verdicts)).toEqual(new Set(['taken', 'sink_refused', 'sink_halted']));
      const taken = verdicts.filter(verdict => verdict === 'taken').length;
      expect(await query(`SELECT 1 FROM ${database}.odd_rows`)).toHaveLength(taken);
      await command(`DROP TABLE ${database}.odd_rows SYNC`);
      expect(await wide.check(blockOf('odd', [oddLine()]), never)).toBeNull(); // it needs no table
      expect(await sink.check(seenBlock({}), never)).toBeNull();
    });

    test('a missing table halts, and once it is back the same insert goes through', async () => {
      const { sink, count, command, database } = await prepared();
      const block = seenBlock(...seenRows(3));
      await command(`DROP TABLE ${database}.seen_rows SYNC`);
      const error = await failureOf(sink.insert(block, 't', never));
      expect([error.code, error.retry]).toEqual(['sink_halted', 'halt']);
      expect(error.message).toContain('seen_rows');
      await sink.prepare();
      await sink.insert(block, 't', never);
      expect(await count()).toBe(3);
    });

    test('a missing column halts instead of dropping the field', async () => {
      const { sink, count, command, database } = await prepared();
      await command(`ALTER TABLE ${database}.seen_rows DROP COLUMN seconds`);
      const block = seenBlock(...seenRows(3));
      expect((await failureOf(sink.insert(block, 't', never))).code).toBe('sink_halted');
      await sink.prepare();
      await sink.insert(block, 't', never);
      expect(await count()).toBe(3);
    });

    test('an aborted insert has an unknown outcome, and its repetition makes it exactly one of each', async () => {
      const { sink, count } = await prepared();
      const block = seenBlock(...seenRows(5_000));
      const giveUp = new AbortController();
      const insert = sink.insert(block, 'aborted', giveUp.signal);
      giveUp.abort(new Error('stopping'));
      const error = await failureOf(insert);
      expect([error.code, error.retry]).toEqual(['sink_unknown', 'backoff']);
      await sink.insert(block, 'aborted', never);
      expect([await count('seen'), await count('seen_rows')]).toEqual([5_000, 5_000]);
    });

    test('a signal that is already aborted sends nothing', async () => {
      const { sink, count } = await prepared();
      expect((await failureOf(sink.insert(seenBlock({}), 't', AbortSignal.abort()))).code).toBe('sink_unknown');
      expect(await count('seen_rows')).toBe(0);
    });

    describe('dead letters', () => {
      const letter = (changes: Partial<DeadLetter> = {}): DeadLetter => ({
        topic: 'ugc.seen',
        partition: 3,
        position: 9_007_199_254_740_991,
        index: 2,
        log: '',
        reason: 'not_json',
        detail: "tab\t, line\nend, back\\slash, quote', ünï",
        raw: Uint8Array.from({ length: 256 }, (_, i) => i),
        atMs: 1_794_999_999_999,
        failedAtMs: 1_795_000_000_123,
        ...changes,
      });

      test('of two logs of one name are two, and each is one however often it is given up', async () => {
        const { sink, query, database } = await prepared();
        const [here, there] = [letter({ log: 'a' }), letter({ log: 'b', detail: 'of another instance' })];
        await sink.deadLetter([here, there], never);
        await sink.deadLetter([here], never);
        expect(await query(`SELECT log, detail FROM ${database}.dead_letters ORDER BY log`)).toEqual([
          { log: 'a', detail: here.detail },
          { log: 'b', detail: 'of another instance' },
        ]);
      });

      test('keep every byte', async () => {
        const { sink, query, database } = await prepared();
        await sink.deadLetter([letter()], never);
        const sql = `SELECT * EXCEPT raw, hex(raw) AS raw FROM ${database}.dead_letters`;
        expect(await query<Record<string, unknown>>(sql)).toEqual([
          {
            topic: 'ugc.seen',
            partition: 3,
            position: 9_007_199_254_740_991,
            index: 2,
            log: '',
            reason: 'not_json',
            detail: letter().detail,
            recorded_at: '2026-11-18 11:06:39.999',
            replayed_at: null,
            dismissed_at: null,
            dismissed_why: '',
            failed_at: new Date(letter().failedAtMs).toISOString().replace('T', ' ').slice(0, -1),
            raw: Buffer.from(letter().raw).toString('hex').toUpperCase(),
          },
        ]);
      });

      test('are one row for each coordinate, the last word on it', async () => {
        const { sink, query, database } = await prepared();
        await sink.deadLetter([letter(), letter({ index: 3, log: '' }), letter({ partition: 4 })], never);
        await sink.deadLetter(
          [letter({ detail: 'again', failedAtMs: 1_795_000_000_999 }), letter({ topic: 'x' })],
          never,
        );
        const rows = await query<{ detail: string }>(
          `SELECT detail FROM ${database}.dead_letters WHERE index = 2 AND partition = 3 ORDER BY topic`,
        );
        expect(rows.map(({ detail }) => detail)).toEqual(['again', letter().detail]);
        expect(await query(`SELECT 1 FROM ${database}.dead_letters`)).toHaveLength(4);
      });

      test('none are nothing', async () => {
        const { sink } = await prepared();
        await sink.deadLetter([], never);
      });
    });

    describe('prepare', () => {
      const grown: TableDefinition = {
        ...seenTable,
        columns: [
          ...seenTable.columns.slice(0, 5),
          { name: 'note', type: 'String', about: 'New' },
          ...seenTable.columns.slice(5),
        ],
      };

      test('twice, and twice at once, is as once', async () => {
        const { sink, count, query, database, under } = await prepared();
        await sink.insert(seenBlock(...seenRows(2)), 't', never);
        const made = await query(
          `SELECT name, metadata_modification_time FROM system.tables WHERE database = '${database}' ORDER BY name`,
        );
        await Promise.all([sink.prepare(), under.sink({ database }).prepare(), sink.prepare()]);
        expect(
          await query(
            `SELECT name, metadata_modification_time FROM system.tables WHERE database = '${database}' ORDER BY name`,
          ),
        ).toEqual(made);
        expect(await count()).toBe(2);
      });

      test('by several processes at once on an empty database succeeds for all', async () => {
        const under = open();
        const database = newDatabase();
        const sinks = Array.from({ length: 4 }, () => under.sink({ database }));
        await Promise.all(sinks.map(sink => sink.prepare()));
        await sinks[0]!.insert(seenBlock({}), 't', never);
        expect(await under.query(`SELECT 1 FROM ${database}.seen`)).toHaveLength(1);
      });

      test('grows a table by a new column; old rows have its default, old writers go on', async () => {
        const { sink, query, database, under } = await prepared();
        await sink.insert(seenBlock({ seconds: 1 }), 't1', never);
        const newer = under.sink({ database, tables: [grown] });
        await newer.prepare();
        const line = seenLine({ seconds: 2 }).replace('"seconds"', '"note":"hi","seconds"');
        await newer.insert(blockOf('seen', [line]), 't2', never);
        expect(await newer.check(blockOf('seen', [line]), never)).toBeNull();
        await sink.insert(seenBlock({ seconds: 3 }), 't3', never);
        expect(await query<unknown>(`SELECT seconds, note FROM ${database}.seen ORDER BY seconds`)).toEqual([
          { seconds: 1, note: '' },
          { seconds: 2, note: 'hi' },
          { seconds: 3, note: '' },
        ]);
      });

      test('refuses a column of another type before anything is written', async () => {
        const { query, database, under } = await prepared();
        const other = {
          ...grown,
          columns: grown.columns.map(column => (column.name === 'seconds' ? { ...column, type: 'UInt32' } : column)),
        };
        const error = await failureOf(under.sink({ database, tables: [other] }).prepare());
        expect(error.code).toBe('schema_incompatible');
        expect(error.message).toContain(`${database}.seen_rows: column seconds is Float64, wanted UInt32.`);
        expect(await query(`SELECT 1 FROM system.columns WHERE database = '${database}' AND name = 'note'`)).toEqual(
          [],
        );
      });

      test('that only checks says what is missing and writes nothing', async () => {
        const under = open();
        const database = newDatabase();
        const error = await failureOf(under.sink({ database, migrate: 'check' }).prepare());
        expect(error.code).toBe('schema_incompatible');
        expect(error.message).toContain(`CREATE TABLE IF NOT EXISTS \`${database}\`.\`seen_rows\``);
        expect(await under.query(`SELECT 1 FROM system.databases WHERE name = '${database}'`)).toEqual([]);
        await under.sink({ database }).prepare();
        await under.sink({ database, migrate: 'check' }).prepare();
      });

      test('that is off does nothing', async () => {
        const under = open();
        const database = newDatabase();
        await under.sink({ database, migrate: 'off' }).prepare();
        expect(await under.query(`SELECT 1 FROM system.databases WHERE name = '${database}'`)).toEqual([]);
      });
    });
  });
}
