// Known weaknesses of what is compiled into the binary, by `bun audit`. Exit code 1 when there are any. A registry that cannot
// be asked is said aloud and fails nothing: it says nothing of the packages.

import { join } from 'node:path';

const child = Bun.spawn([process.execPath, 'audit', '--prod', '--json'], {
  cwd: join(import.meta.dir, '..'),
  stdout: 'pipe',
  stderr: 'pipe',
  timeout: 60_000,
});
const [out, err, code] = await Promise.all([
  new Response(child.stdout).text(),
  new Response(child.stderr).text(),
  child.exited,
]);
const told = reportIn(out);
if (told === null) {
  console.warn(
    `NOT AUDITED: the registry gave no answer (exit code ${code}); what bun said: ${err.trim().split('\n').pop()}`,
  );
} else {
  const names = Object.keys(told);
  console.log(names.length === 0 ? 'no known weakness' : JSON.stringify(told, null, 2));
  process.exitCode = names.length === 0 ? 0 : 1;
}

/** By package; null when it is no report. */
function reportIn(text: string): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
