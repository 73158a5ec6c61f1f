// Bun's PostgreSQL client, held so that it recovers: a statement that has no answer in time costs its whole pool, since the
// connection under it may be dead without a word. Statements are not prepared by name (`prepare: false`): named ones have
// handed one query's rows to another, and a pooler between would not know them. Every answer is one JSON value.

import { PipelineError } from '../../errors.ts';
import { timed } from '../../process/sleep.ts';
import { toPipelineError } from './error.ts';
import { clientOptions, type DatabaseOptions } from './url.ts';

export type Param = string | number | boolean | null;

export interface Client {
  /** `sql` gives one row of one column, JSON as text; null stands for none. Its parameters are cast in it. */
  ask<Answer>(sql: string, params: readonly Param[], isWrite: boolean): Promise<Answer>;
  /** Several statements, without parameters, as one transaction on one connection. */
  script(
    run: (execute: (sql: string, params?: readonly Param[]) => Promise<readonly unknown[]>) => Promise<void>,
  ): Promise<void>;
  close(): Promise<void>;
}

export interface ClientOptions extends DatabaseOptions {
  /** Settings of its sessions. */
  readonly session?: Readonly<Record<string, string>>;
}

export const statementTimeoutMs = 10_000;
/** Beyond the server's own: it is the way there that is silent. */
const silenceMs = 3_000;
const connectTimeoutS = 5;
const closeS = 5;

const sessionDefaults: Readonly<Record<string, string>> = {
  application_name: 'ugc content',
  default_transaction_isolation: 'read committed',
  statement_timeout: String(statementTimeoutMs),
  idle_in_transaction_session_timeout: '30000',
};

export function client({ session, ...options }: ClientOptions): Client {
  let isClosed = false;
  let pool = begun();

  function begun(): Bun.SQL {
    return new Bun.SQL({
      ...clientOptions(options),
      max: options.connectionsMax,
      prepare: false,
      connectionTimeout: connectTimeoutS,
      idleTimeout: 0,
      connection: { ...sessionDefaults, ...session },
    });
  }

  /** Only the first of those that wait for it in vain. */
  function renew(of: Bun.SQL): void {
    if (pool !== of || isClosed) return;
    pool = begun();
    void of.close({ timeout: 0 }).catch(() => {});
  }

  async function within<T>(ms: number, work: (on: Bun.SQL) => Promise<T>, isWrite: boolean): Promise<T> {
    if (isClosed) throw new PipelineError('store_unavailable', 'The content store is closed');
    const on = pool;
    try {
      return await timed(ms, work(on), () => {
        renew(on);
        throw new Error(`no answer within ${ms} ms`);
      });
    } catch (error) {
      throw toPipelineError(error, isWrite);
    }
  }

  return {
    ask: (sql, params, isWrite) =>
      within(
        statementTimeoutMs + silenceMs,
        async on => {
          const [row] = (await on.unsafe(sql, params.map(spelled))) as { answer: string | null }[];
          return row?.answer == null ? null : JSON.parse(row.answer);
        },
        isWrite,
      ),
    script: run =>
      within(
        60_000,
        on =>
          on.begin(async tx => {
            await run(async (sql, params) =>
              params ? await tx.unsafe(sql, params.map(spelled)) : await tx.unsafe(sql).simple(),
            );
          }),
        false, // of who asks, nothing was done
      ),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await pool.close({ timeout: closeS }).catch(() => {});
    },
  };
}

/** As text: the server knows what each is cast to. */
const spelled = (param: Param): string | null => (param === null ? null : String(param));
