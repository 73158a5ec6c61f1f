// A warning of the runtime or of a library is a line of the log: nothing raw stands among the JSON lines.

import { expect, test } from 'bun:test';
import { join } from 'node:path';

test('too many listeners, which a library adds, are told in a line of JSON and nowhere else', () => {
  const telemetry = join(import.meta.dir, '../../../src/process/telemetry.ts');
  const script = `
    import { EventEmitter } from 'node:events';
    const { logWarnings, openLogs } = await import(${JSON.stringify(telemetry)});
    const logs = openLogs({ level: 'info', requests: { share: 0, slowMs: null } });
    logWarnings(logs.logger);
    const emitter = new EventEmitter();
    for (let at = 0; at < 12; at++) emitter.on('x', () => undefined);
    setImmediate(() => logs.close());
  `;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, '-e', script]);
  expect(stderr.toString()).toBe('');
  const lines = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ 'log.level': 'warn' });
  expect(JSON.stringify(lines[0])).toContain('MaxListenersExceededWarning');
});
