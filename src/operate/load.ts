// `ugc load`: people who send events, at a rate that does not wait for the server, and what came of it. Reads its flags, makes
// the people, runs, holds what was accepted against the tables and tells.

import { runRows } from '../adapters/clickhouse/ask/run-rows.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import type { Values } from '../config/kinds.ts';
import { PipelineError } from '../errors.ts';
import { type Bodies, bodiesOf } from '../load/bodies.ts';
import { examples } from '../load/examples.ts';
import { type People, people } from '../load/journeys.ts';
import { seeded } from '../load/random.ts';
import { type RunResult, run } from '../load/run.ts';
import { runIds } from '../load/run-ids.ts';
import { levelsOf, type Schedule, scheduleOf } from '../load/schedule.ts';
import type { Span } from '../load/tally.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { acknowledged } from './load-broker.ts';
import { loadFlags, wrongIn } from './load-flags.ts';
import { unwritableIn, writePage } from './load-page-file.ts';
import { type LoadReport, reportJson, reportText } from './load-report.ts';
import { type LoadWiring, targetOf } from './load-target.ts';
import { type Verified, verify } from './load-verify.ts';
import { count, say, writeOut } from './output.ts';
import { withTables } from './tables.ts';

type Flags = Values<typeof loadFlags>;

export const loadCommand = ({ transportOf }: LoadWiring) =>
  command(loadFlags, ({ args, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      const wrong = wrongIn(flags, args);
      if (wrong !== null) {
        say(`ugc: ${wrong}; see ugc help load`);
        return 2;
      }
      const unwritable = unwritableIn(flags.report);
      if (unwritable !== null) {
        say(`ugc: ${unwritable}`);
        return 2;
      }
      const seed = flags.seed || 1 + Math.floor(Math.random() * 4_294_967_294);
      const startedMs = Date.now();
      const ids = runIds(startedMs, crypto.getRandomValues(new Uint32Array(1))[0]! & 0x3ffffff);
      const batch = flags.shape === 'single' || flags.shape === 'beacon' ? 1 : flags.batch;
      const bodies = bodiesOf({
        ...flags,
        batch,
        clockSkewMs: flags.clockSkew * 1_000,
        ids,
        random: seeded(seed ^ 0x5eed),
        next: peopleOf(flags, config, seed).next,
        now: Date.now,
      });
      say(`seed ${seed}, ids of the run begin with ${ids.idOf(0).slice(0, 24)}`);
      const interrupted = interruption();
      const schedule = scheduleFor(flags, batch);
      const target = await targetOf({ flags, config, bodies, schedule, transportOf });
      const result = await run({
        ...target,
        batch,
        schedule,
        seconds: flags.duration,
        onSecond: sayer(),
        signal: interrupted.signal,
      }).finally(target.close);
      interrupted.end();
      const verified = flags.verify
        ? await verifyRun(result, bodies, { flags, config, startedMs, prefix: ids.prefix })
        : null;
      const report: LoadReport = {
        seed,
        run: ids.prefix,
        flags,
        batch,
        result,
        verified,
        endedEarly: interrupted.signal.aborted,
      };
      writeOut(flags.json ? `${JSON.stringify(reportJson(report))}\n` : reportText(report));
      if (flags.report !== '') {
        writePage(flags.report, { ...report, startedAt: new Date(startedMs).toISOString() });
        say(`the report is in ${flags.report}`);
      }
      return exitOf(result, verified);
    }),
  );

/** Nothing answered 2xx is a failure, and so is an accepted event without a row. */
function exitOf({ totals }: RunResult, verified: Verified | null): Exit {
  const isAnswered = Object.keys(totals.answers).some(name => name.startsWith('2') || name === acknowledged);
  return isAnswered && (verified === null || verified.missing + verified.duplicate === 0) ? 0 : 1;
}

function peopleOf(flags: Flags, config: Config, seed: number): People {
  const { users, films, types: named } = flags;
  if (named === '' && config.schemasDir === '') return people({ seed, users, films });
  const catalogue = catalogueFor(config);
  const builtIn = new Set(catalogueFor({ ...config, schemasDir: '' }).types.map(({ name }) => name));
  const names =
    named === '' ? catalogue.types.map(({ name }) => name).filter(name => !builtIn.has(name)) : named.split(',');
  const types = names.map(name => {
    const type = catalogue.find(name.trim());
    if (type === undefined)
      throw new PipelineError('config_invalid', `there is no event type ${name}; see ugc schema ls`);
    return type;
  });
  return types.length === 0
    ? people({ seed, users, films })
    : examples(types, { seed, users, films, isPadded: flags.eventBytes > 0 });
}

/** Null: as fast as answers come. */
const scheduleFor = ({ rate, duration, ramp, steps }: Flags, batch: number): Schedule | null =>
  rate === 0 ? null : scheduleOf(levelsOf({ rate: rate / batch, seconds: duration, rampSeconds: ramp, steps }));

/** The first Ctrl-C ends the run with its report, the second the process. */
function interruption() {
  const controller = new AbortController();
  const end = () => controller.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  return {
    signal: controller.signal,
    end: () => void process.off('SIGINT', end).off('SIGTERM', end),
  };
}

/** A line a second. */
function sayer() {
  return ({ at, seconds, sentPerS, acceptedPerS, due }: Span, totals: () => RunResult['totals']): void => {
    const { answers } = totals();
    const others = Object.entries(answers).filter(([name]) => !name.startsWith('2'));
    const bad = others.map(([name, times]) => `, ${name} ${count(times)}×`).join('');
    say(
      `${String(Math.round(at + seconds)).padStart(4)} s  sent ${count(Math.round(sentPerS))}/s, accepted ${count(Math.round(acceptedPerS))}/s, p50 ${due.p50.toFixed(1)}, p99 ${due.p99.toFixed(1)} ms${bad}`,
    );
  };
}

interface Verifying {
  readonly flags: Flags;
  readonly config: Config;
  readonly startedMs: number;
  readonly prefix: string;
}

/** A server's clock may be wrong by so much, before the run began. */
const clockMs = 86_400_000;

async function verifyRun(
  { acked }: RunResult,
  { types, made }: Pick<Bodies, 'types' | 'made'>,
  { flags, config, startedMs, prefix }: Verifying,
): Promise<Verified> {
  const interrupted = interruption();
  try {
    return await withTables(config, ({ client }) =>
      verify({
        rows: runRows({
          client,
          database: config.clickhouseDatabase,
          types: types.size === 0 ? ['click'] : [...types],
          prefix,
          sinceMs: startedMs - clockMs,
        }),
        acked,
        made,
        waitMs: flags.verifySeconds * 1_000,
        onWait: rows => say(`waiting for rows: ${count(rows)} of ${count(acked.size)}`),
        signal: interrupted.signal,
      }),
    );
  } finally {
    interrupted.end();
  }
}
