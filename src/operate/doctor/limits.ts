// The group `limits`: what the container or the machine allows the process, beside what the settings would have it use.

import { memoryBoundOf, openFilesMaxOf } from '../../adapters/linux/bounds.ts';
import type { Config } from '../../config/config.ts';
import { size } from '../output.ts';
import { type Check, doubtful, type GroupOf, good } from './check.ts';
import { type Instance, sumOf } from './instance.ts';

const page = 'docs/operate/limits.md';

export const limitsGroup: GroupOf = ({ config, instance }) => ({
  name: 'limits',
  probes: [
    {
      id: 'limits.files',
      hint: 'see ulimit -n',
      page,
      look: async () => [filesOf(await instance)],
    },
    { id: 'limits.memory', hint: 'see the memory limit of the container', page, look: () => [memoryOf(config)] },
  ],
});

/** Below so many few clients are a crowd. */
const filesMin = 4_096;
const busyShare = 0.8;

function filesOf(instance: Instance | null): Check {
  const id = 'limits.files';
  const max = (instance && sumOf(instance.now, 'process_max_fds')) ?? openFilesMaxOf();
  const open = instance && sumOf(instance.now, 'process_open_fds');
  if (max === null) return good(id, 'no limit of open files is known here');
  const seen = open === null ? `${max} open files at most` : `${open} files are open, ${max} at most`;
  const isBusy = open !== null && open > max * busyShare;
  if (max >= filesMin && !isBusy) return good(id, seen);
  return doubtful(id, {
    seen,
    follows: 'connections beyond it are refused',
    hint: 'raise it: ulimit -n 65536, LimitNOFILE= of systemd, --ulimit nofile= of the container',
    page: 'docs/operate/deploy.md',
  });
}

/** What a process takes by itself. */
const ownBytes = 512 * 2 ** 20;
/** What is made of a body takes so many times its bytes. */
const perBodyByte = 5;

function memoryOf(config: Config): Check {
  const id = 'limits.memory';
  const bound = memoryBoundOf();
  if (bound === null) return good(id, 'no limit of memory is set');
  const isEmbedded = config.clickhouseUrl === '' && config.role.some(role => role === 'all' || role === 'etl');
  const takesEvents = config.role.some(role => role === 'all' || role === 'ingest');
  const wanted =
    ownBytes +
    (isEmbedded ? config.clickhouseMemoryBytesMax : 0) +
    (takesEvents ? config.requestsBytesMax * perBodyByte : 0);
  const used = bound.bytesUsed === null ? '' : `, ${size(bound.bytesUsed)} in use`;
  const kills = bound.kills === null || bound.kills === 0 ? '' : `; processes were killed for it ${bound.kills} times`;
  const seen = `${size(bound.bytesMax)} at most${used}${kills}; the settings allow up to ${size(wanted)}`;
  if (bound.bytesMax >= wanted && kills === '') return good(id, seen);
  return doubtful(id, {
    seen,
    follows: 'under load the process may be killed; nothing acked is lost',
    hint: `raise the limit, or lower UGC_REQUESTS_BYTES_MAX${isEmbedded ? ' or UGC_CLICKHOUSE_MEMORY_BYTES_MAX' : ''}`,
    page,
  });
}
