// deploy/kubernetes against the schemas that Kubernetes publishes, unknown fields refused.

import { expect, test } from 'bun:test';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonWith } from '../support/python.ts';
import { temporaryFolder } from '../support/ugc.ts';

const python = await pythonWith('kubernetes', ['kubernetes-validate==1.31.0']);
if (python === null) {
  if (process.env.CI) throw new Error('no kubernetes-validate, and this is CI');
  console.warn('NO KUBERNETES-VALIDATE, SO THE MANIFESTS ARE NOT CHECKED: it is installed with CI set');
}

test.skipIf(python === null)('every manifest is one, and a wrong one is found', () => {
  const folder = temporaryFolder();
  cpSync(join(import.meta.dir, '../../deploy/kubernetes'), folder, { recursive: true });
  const files = [...new Bun.Glob('*.yaml').scanSync(folder)].filter(name => name !== 'kustomization.yaml');
  const judge = () => {
    const command = [python!, '-m', 'kubernetes_validate', '--strict', ...files];
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: folder });
    return { exitCode, said: `${stdout}${stderr}` };
  };
  const { exitCode, said } = judge();
  expect(exitCode, said).toBe(0);
  for (const file of files) expect(said).toContain(`${file} passed`);
  const etl = join(folder, 'etl.yaml');
  writeFileSync(etl, readFileSync(etl, 'utf8').replace('replicas: 2', 'replica: 2'));
  expect(judge().exitCode).not.toBe(0);
});
