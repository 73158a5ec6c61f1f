// Servers that come as packages of the system: under CI installed when they are not there, by one test at a time. Who waits
// for another's installation finds it whole, as it is looked for once nobody installs anything.

import { tmpdir } from 'node:os';
import { join } from 'node:path';

const lock = join(tmpdir(), 'ugc-test-apt.lock');

/** Null: it is there. Else in words why not; outside of CI nothing is installed. */
export function packaged(name: string, isThere: () => boolean): string | null {
  const words = `${name} is not installed (apt-get install ${name})`;
  if (!process.env.CI) return isThere() ? null : words;
  const isWhole = `test "$(dpkg-query -W -f '\${db:Status-Status}' ${name} 2>/dev/null)" = installed`;
  const install = `apt-get update -qq && apt-get install -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends ${name}`;
  const { exitCode, stderr } = Bun.spawnSync(['flock', lock, 'sh', '-c', `${isWhole} || { ${install}; }`], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return isThere() ? null : `${words}: apt-get ended with ${exitCode}: ${stderr}`;
}
