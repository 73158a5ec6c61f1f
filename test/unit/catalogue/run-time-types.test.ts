// Types that come while the process runs: what has to be made for them may fail for a while, through no fault of the files.

import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { catalogue } from '../../../schemas/catalogue.ts';
import { runTimeTypes } from '../../../src/catalogue/run-time-types.ts';
import { PipelineError } from '../../../src/errors.ts';
import { quietLogger } from '../../support/quiet.ts';
import { typeFiles, typeJson } from '../../support/type-files.ts';
import { temporaryFolder } from '../../support/ugc.ts';
import { until } from '../../support/until.ts';

test('tables that cannot be made are tried again until they can, though the files stay as they are', async () => {
  const folder = temporaryFolder();
  const files = typeFiles(join(folder, 'schemas'));
  const types = runTimeTypes({
    folder: files.folder,
    keptIn: join(folder, 'types'),
    builtIn: catalogue,
    logger: quietLogger,
  });
  let tries = 0;
  types.watch(async () => {
    if (++tries < 3) throw new PipelineError('sink_overloaded', 'no memory just now');
  });
  files.write(typeJson('trailer_watched'));
  await until(() => types.problem() === 'no memory just now', 'the failure is said');
  expect(types.known().accepted.find('trailer_watched')).toBeUndefined();
  await until(() => types.known().accepted.find('trailer_watched') !== undefined, 'the type is there');
  expect([tries, types.problem()]).toEqual([3, null]);
  await types.close();
});
