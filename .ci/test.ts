// Every test there is, layer by layer; at the end what failed is said once more, and one line counts: N passed, N failed.
// `bun run .ci/test.ts unit contract` runs only those layers.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dir, '..');
const layers = ['unit', 'contract', 'integration', 'e2e', 'browser', 'slow'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter(name => !layers.includes(name));
if (unknown.length > 0) {
  console.error(`no such layer: ${unknown.join(', ')}; there are ${layers.join(', ')}`);
  process.exit(2);
}

// Most of them wait for servers most of the time.
const lanesMax = availableParallelism() > 1 ? 2 : 1;
const lanesOf = (layer: string): number => (layer === 'unit' ? 1 : lanesMax);

interface Work {
  readonly layer: string;
  readonly files: readonly string[];
  readonly flags: readonly string[];
}

const sum = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const works = layers.filter(name => wanted.length === 0 || wanted.includes(name)).flatMap(worksOf);
const lanes = new Set<Promise<void>>();
for (const work of works) {
  while (lanes.size > 0 && (lanes.size >= lanesOf(work.layer) || lanesOf(work.layer) === 1)) await Promise.race(lanes);
  const lane = run(work).then(() => void lanes.delete(lane));
  lanes.add(lane);
}
await Promise.all(lanes);
for (const failure of failures) console.log(`\n── failed: ${failure}`);
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
console.log(`\n${sum.passed} passed, ${sum.failed} failed${skipped}`);
process.exit(sum.failed > 0 || sum.passed === 0 ? 1 : 0);

function worksOf(layer: string): Work[] {
  const files = [...new Bun.Glob(`test/${layer}/**/*.test.ts`).scanSync(root)].sort();
  if (layer === 'unit') return [{ layer, files, flags: ['--parallel=4', '--no-isolate'] }];
  // The embedded engine binds one data folder to a process, so beyond unit tests each file has a process of its own.
  return files.map(file => ({ layer, files: [file], flags: [] }));
}

async function run({ layer, files, flags }: Work): Promise<void> {
  const startedAt = performance.now();
  const isAlone = lanesOf(layer) === 1;
  const name = files.length === 1 ? files[0] : `${layer}: ${files.length} files`;
  if (!isAlone) console.log(`── ${name} …`);
  const child = Bun.spawn([process.execPath, 'test', '--timeout=600000', ...flags, ...files.map(file => `./${file}`)], {
    cwd: root,
    stdout: isAlone ? 'inherit' : 'pipe',
    stderr: 'pipe',
    // bun test sets NODE_ENV=test unless it is set; libraries must behave as they do in production.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  // What runs beside another is told when it is over, in one piece.
  const said = child.stdout === undefined ? Promise.resolve('') : new Response(child.stdout).text();
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of child.stderr) {
    const piece = decoder.decode(chunk, { stream: true });
    text += piece;
    if (isAlone) process.stderr.write(piece);
  }
  const code = await child.exited;
  // At the end: what a test prints of another process may look like it.
  const counted = (word: string) => Number([...text.matchAll(new RegExp(`^ *(\\d+) ${word}$`, 'gm'))].at(-1)?.[1] ?? 0);
  sum.passed += counted('pass');
  sum.skipped += counted('skip') + counted('todo');
  const failed = counted('fail');
  sum.failed += code !== 0 && failed === 0 ? 1 : failed;
  failures.push(...failuresIn(text));
  if (code !== 0 && failed === 0)
    failures.push(`${files.join(' ')} ended with ${code} without saying which test failed\n${text.slice(-2000)}`);
  if (!isAlone) process.stderr.write(`\n${await said}${text}`);
  console.log(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** What `bun test` wrote of each test that failed: its file, its name and the last lines before that, which say why. */
function failuresIn(text: string): string[] {
  const found: string[] = [];
  let file = '';
  let since: string[] = [];
  for (const line of text.split('\n')) {
    if (/^\S+\.test\.ts:$/.test(line)) file = line;
    if (/^\d+ tests failed:$/.test(line)) break; // bun names them again
    if (line.startsWith('(fail)')) found.push(`${file} ${line}\n${since.slice(-60).join('\n')}`);
    since = /^\((pass|fail|skip|todo)\)/.test(line) ? [] : [...since, line];
  }
  return found;
}
