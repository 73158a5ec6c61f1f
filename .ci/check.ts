// The quick checks, at once: types, lint and format, unit tests (the tidy test among them). It says what failed, and counts
// the rest.

import { join } from 'node:path';

const root = join(import.meta.dir, '..');
const checks: Readonly<Record<string, readonly string[]>> = {
  types: ['node_modules/.bin/tsc', '--noEmit'],
  'types of the SDK': ['node_modules/.bin/tsc', '--noEmit', '-p', 'sdk'],
  'types of the page': ['node_modules/.bin/tsc', '--noEmit', '--project', 'src/console/page'],
  'lint and format': ['node_modules/.bin/biome', 'ci', '--error-on-warnings', '--colors=off', '.'],
  'unit tests': [
    process.execPath,
    'test',
    '--timeout=600000',
    '--parallel=4',
    '--no-isolate',
    '--only-failures',
    './test/unit/',
  ],
};

const results = await Promise.all(
  Object.entries(checks).map(async ([name, command]) => {
    const startedAt = performance.now();
    const child = Bun.spawn([...command], {
      cwd: root,
      stdout: 'pipe',
      stderr: 'pipe',
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const counted = ['pass', 'fail'].flatMap(word => new RegExp(`^ *(\\d+) ${word}$`, 'm').exec(err)?.[0].trim() ?? []);
    if (code !== 0) console.log(out + err);
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${[name, ...counted].join(', ')} (${seconds} s)`);
    return code;
  }),
);
process.exit(results.every(code => code === 0) ? 0 : 1);
