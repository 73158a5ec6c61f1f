// `ugc buffer export`: every body as NDJSON on stdout, so that events can be saved from a machine whose broker is gone.
// What cannot be proven, or is no JSON object, is left out and said, with exit code 1.

import { PipelineError } from '../errors.ts';
import type { BufferFile, BufferFilter, BufferReport } from '../ports/buffer-file.ts';
import type { Exit } from './arguments.ts';
import { filterOf } from './buffer-inspect.ts';
import { damageLog } from './damage-log.ts';
import { countOf, progressOf, say, writeOut } from './output.ts';
import { objectOf, textOf } from './set-aside-record.ts';

export interface ExportFlags extends BufferFilter {
  readonly quarantine: boolean;
  /** It is JSON in any case; then the last word on stderr is, too. */
  readonly json: boolean;
}

const chunkBytes = 64 * 1024;
const newline = Buffer.from('\n');

export function exportRecords(file: BufferFile, { quarantine, json, ...filter }: ExportFlags): Exit {
  const damage = damageLog();
  const progress = progressOf('exported', 'events');
  const wanted = filterOf(filter);
  const total = totalOf(file, wanted, quarantine);
  let written = 0;
  let leftOut = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let waitingCount = 0;
  const flush = (): void => {
    writeOut(Buffer.concat(waiting));
    written += waitingCount;
    [waiting, waitingBytes, waitingCount] = [[], 0, 0];
    progress.at(written, total);
  };
  for (const body of quarantine ? bodiesOf(file, wanted, () => leftOut++) : logBodies()) {
    waiting.push(body, newline);
    waitingBytes += body.length + 1;
    waitingCount++;
    if (waitingBytes >= chunkBytes) flush();
  }
  flush();
  progress.end();
  const places = damage.end();
  if (json) say(JSON.stringify({ exported: written, left_out: leftOut, damaged_places: places }));
  else {
    say(`exported ${countOf(written, 'event')}`);
    if (leftOut > 0)
      say(
        `left out ${countOf(leftOut, 'record')} that are no JSON: ugc buffer inspect --quarantine --json has their bytes`,
      );
  }
  return places + leftOut > 0 ? 1 : 0;

  function* logBodies(): Generator<Uint8Array> {
    for (const { body } of file.records(wanted, damage.note)) yield body;
  }
}

function* bodiesOf(file: BufferFile, wanted: BufferFilter, leaveOut: () => void): Generator<Uint8Array> {
  for (const { raw } of file.quarantined(wanted)) {
    const text = textOf(raw);
    if (text !== null && objectOf(text) !== null) yield raw;
    else leaveOut();
  }
}

/** 0 when the file does not tell: what is around the damage is exported all the same. */
function totalOf(file: BufferFile, { topic, type }: BufferFilter, quarantine: boolean): number {
  const report = reportOf(file);
  if (report === null) return 0;
  const { topics, quarantine: aside } = report;
  if (quarantine) return aside.reduce((sum, { records }) => sum + records, 0);
  return topics
    .filter(one => (topic ?? one.topic) === one.topic && (type ?? one.type) === one.type)
    .reduce((sum, { events }) => sum + events, 0);
}

function reportOf(file: BufferFile): BufferReport | null {
  try {
    return file.stat();
  } catch (error) {
    if (error instanceof PipelineError) return null;
    throw error;
  }
}
