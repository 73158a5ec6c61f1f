// `ugc buffer verify`: is everything in the file as it was written? Exit 1 and what is wrong when something is.

import type { BufferFile, BufferVerdict } from '../ports/buffer-file.ts';
import type { Exit } from './arguments.ts';
import { countOf, plain, progressOf, say, size, writeOut } from './output.ts';

export function verify(file: BufferFile, path: string, json: boolean): Exit {
  const progress = progressOf('checked', 'events');
  if (!json) say(`checking the pages of ${path}, then every event`);
  const verdict = file.verify(progress.at);
  progress.end();
  writeOut(json ? `${JSON.stringify(jsonOf(verdict, path))}\n` : textOf(verdict));
  return verdict.problemCount === 0 ? 0 : 1;
}

const jsonOf = ({ problemCount, problems, ...sums }: BufferVerdict, path: string) => ({
  path,
  ok: problemCount === 0,
  ...sums,
  problem_count: problemCount,
  problems,
});

function textOf({ rows, events, bytes, quarantined, problems, problemCount }: BufferVerdict): string {
  const lines = problems.map(plain);
  if (problemCount > problems.length) lines.push(`and ${problemCount - problems.length} more`);
  const aside = quarantined === 0 ? '' : `; ${countOf(quarantined, 'record')} in quarantine, set aside earlier`;
  const sums = `${countOf(events, 'event')} in ${countOf(rows, 'row')}, ${size(bytes)}${aside}`;
  lines.push(problemCount === 0 ? `sound: ${sums}` : `${countOf(problemCount, 'problem')} in ${sums}`);
  return `${lines.join('\n')}\n`;
}
