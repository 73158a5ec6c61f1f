// A process that moves two records, waits for a third that never gets through, stops, and then has to end by itself.

import { memorySink } from '../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../src/errors.ts';
import { startMover } from '../../src/mover/loop.ts';
import { sleep } from '../../src/process/sleep.ts';
import { listSource, versionOne } from './list-source.ts';
import { moverMetrics, quietLogger } from './quiet.ts';
import { until } from './until.ts';

const source = listSource();
const sink = memorySink();
const mover = startMover({
  source,
  sink,
  deadLetters: sink,
  types: versionOne('click', 'page_view'),
  judge: () => ({ ok: false, reason: 'unknown_type', detail: 'nobody knows it' }),
  blockRowsMax: 100,
  blockBytesMax: 1_000,
  intervalMs: 60_000,
  graceMs: 60_000,
  logger: quietLogger,
  metrics: moverMetrics,
});
sink.halt('page_view', new PipelineError('sink_halted'));
source.add({ topic: 'page_view', type: 'page_view', bodies: ['{"event_id":"x"}'] });
source.add({ topic: 'click', type: 'click', bodies: ['{"event_id":"a"}', '{"event_id":"b"}'] });
await until(() => source.committed.has('click/0') && mover.halted().size === 1, 'two are moved and one is halted');
source.add({ topic: 'click', type: 'click', bodies: ['{"event_id":"c"}'] }); // waits for its interval
await until(() => source.isPolling(), 'it is taken');
await mover.stop();
const waking = new AbortController();
const sleeping = sleep(60_000, waking.signal);
waking.abort();
await sleeping;
process.stdout.write(`moved ${sink.rows('click').size}\n`);
