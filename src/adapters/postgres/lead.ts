// One of all processes has the outbox: whose session holds an advisory lock. It has a connection of its own and shows every
// beat that the session still is the one that took the lock; when it cannot, it has lost the outbox.
// - The server ends a session that says nothing, so the outbox of one that was cut off is free again within seconds.
// - Who takes it over from one that did not let go of it waits until that one must know.
// - What is taken out is fenced by a token as well. The leader also folds the counts.

import { messageOf, PipelineError } from '../../errors.ts';
import type { Outbox, OutboxEvent } from '../../ports/content.ts';
import { persistently, sleep, timed } from '../../process/sleep.ts';
import { type Client, client } from './client.ts';
import { changes, rowsOf } from './statements.ts';
import type { DatabaseOptions } from './url.ts';

export interface Candidate {
  /** Waits until no other has it; null at the abort. */
  lead(signal: AbortSignal): Promise<Outbox | null>;
  close(): Promise<void>;
}

/** 'ugcl' */
const leadLock = 0x7567636c;
const beatMs = 500;
const beatTimeoutMs = 3_000;
/** A leader whose session has ended knows it by then. */
const graceMs = beatMs + beatTimeoutMs + 500;
/** Of a session that says nothing, until the server ends it. */
const silenceMs = 8_000;
const tryAgainMs = 1_000;
const letGoMs = 1_000;
const foldRowsMax = 20_000;

const take = `WITH mine AS (SELECT pg_try_advisory_lock(${leadLock}) AS is_mine)
  SELECT CASE WHEN is_mine THEN pg_backend_pid() END::text AS answer FROM mine`;
/** Gives the token before it: of one that did not let go of it. */
const sign = `WITH before AS (SELECT token FROM content_leader), done AS (INSERT INTO content_leader VALUES (1, $1::text)
  ON CONFLICT (id) DO UPDATE SET token = excluded.token)
  SELECT to_json(coalesce((SELECT token FROM before), ''))::text AS answer`;
/** $1, $2: the session that took the lock, and its token. */
const isLeader = `pg_backend_pid() = $1::text::integer AND token = $2::text`;
const beat = `SELECT 'true' AS answer FROM content_leader WHERE ${isLeader}`;
const letGo = `WITH done AS (UPDATE content_leader SET token = '' WHERE ${isLeader}) SELECT 'null' AS answer`;
const waiting = `${rowsOf(`SELECT sequence::text AS sequence, event_id AS "eventId", type, user_id AS "userId",
  at_ms AS "atMs", fields FROM content_outbox o ORDER BY o.sequence LIMIT $3::text::integer`)}
  WHERE EXISTS (SELECT FROM content_leader WHERE ${isLeader})`;
// The leader's row is locked: who takes over waits until this is done, or this sees that it did.
const takeOut = `WITH leader AS (SELECT FROM content_leader WHERE ${isLeader} FOR UPDATE),
  gone AS (DELETE FROM content_outbox WHERE EXISTS (SELECT FROM leader)
    AND sequence IN (SELECT value::bigint FROM json_array_elements_text($3::text::json)))
  SELECT 'true' AS answer FROM leader`;

export function candidate(options: DatabaseOptions): Candidate {
  const closing = new AbortController();
  const led = new Set<Outbox>();

  async function elected(signal: AbortSignal): Promise<Outbox | null> {
    const own = client({
      ...options,
      connectionsMax: 1,
      session: { application_name: 'ugc content leader', idle_session_timeout: String(silenceMs) },
    });
    try {
      while (!signal.aborted) {
        const pid = await own.ask<number | null>(take, [], false);
        if (pid !== null) {
          const token = crypto.randomUUID();
          const before = await own.ask<string>(sign, [token], true);
          if (before !== '') await sleep(graceMs, signal);
          if (signal.aborted) break;
          return leading(own, pid, token);
        }
        await sleep(tryAgainMs * (0.5 + Math.random() / 2), signal);
      }
    } catch (error) {
      await own.close();
      throw error;
    }
    await own.close();
    return null;
  }

  function leading(own: Client, pid: number, token: string): Outbox {
    const lost = Promise.withResolvers<string>();
    const ended = new AbortController();
    const end = async (reason: string): Promise<void> => {
      if (ended.signal.aborted) return;
      ended.abort();
      led.delete(outbox);
      lost.resolve(reason);
      await own.close();
    };
    const asLeader = async <T>(sql: string, param: string | number, isWrite: boolean): Promise<T> => {
      const gone = new PipelineError('store_unavailable', 'Another may publish what changes by now');
      if (ended.signal.aborted) throw gone;
      const answer = await own.ask<T | null>(sql, [pid, token, param], isWrite);
      if (answer !== null) return answer;
      void end('another has taken it');
      throw gone;
    };
    const outbox: Outbox = {
      read: countMax => asLeader<readonly OutboxEvent[]>(waiting, countMax, false),
      published: async events => {
        await asLeader(takeOut, JSON.stringify(events.map(({ sequence }) => sequence)), true);
      },
      lost: lost.promise,
      async close() {
        if (!ended.signal.aborted) await timed(letGoMs, own.ask(letGo, [pid, token], true), () => {}).catch(() => {});
        await end('closed');
      },
    };
    led.add(outbox);
    void beats(own, [pid, token], ended.signal).then(end);
    return outbox;
  }

  return {
    lead(signal) {
      const until = AbortSignal.any([signal, closing.signal]);
      // The store's `problem` says why it cannot be had.
      return persistently(() => elected(until), { pauseMs: tryAgainMs, signal: until });
    },
    async close() {
      closing.abort();
      await Promise.all([...led].map(outbox => outbox.close()));
    },
  };
}

/** Resolves, with the reason, when it is not sure any more to be the leader. */
async function beats(own: Client, leader: readonly [number, string], signal: AbortSignal): Promise<string> {
  while (!signal.aborted) {
    try {
      const isMine = await timed(beatTimeoutMs, own.ask<boolean | null>(beat, leader, false), () => null);
      if (isMine !== true) return 'its session was lost';
      await own.ask(changes.fold, [foldRowsMax], true);
    } catch (error) {
      return messageOf(error);
    }
    await sleep(beatMs, signal);
  }
  return 'closed';
}
