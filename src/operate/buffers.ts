// What `ugc buffer` works on: the disk buffer of the settings it was given. Wiring only.

import type { Catalogue } from '../../schemas/catalogue.ts';
import { topicOf } from '../../schemas/topic.ts';
import { isBufferInUse, openBufferFile, openBufferRepair } from '../adapters/disk/inspect/operator.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { bufferFile } from '../process/instance.ts';
import type { Buffers } from './buffer.ts';

/** Read once: it is asked for each record. */
let catalogue: Catalogue | undefined;

const boundsOf = (config: Config) => ({
  path: bufferFile(config.dataDir),
  bytesMax: config.bufferBytesMax,
  diskReserveBytes: config.bufferDiskReserveBytes,
});

export const buffers: Buffers = {
  path: config => bufferFile(config.dataDir),
  read: config => openBufferFile(boundsOf(config)),
  repair: config =>
    openBufferRepair(boundsOf(config), (message, fields) =>
      process.stderr.write(`ugc: ${message} ${JSON.stringify(fields)}\n`),
    ),
  isInUse: config => isBufferInUse(bufferFile(config.dataDir)),
  // As the roles name them: with a broker the drain empties the buffer, without it the mover reads it.
  readers: config => [config.kafkaBrokers === '' ? 'etl' : 'drain'],
  topicOf(config, name) {
    catalogue ??= catalogueFor(config);
    const type = catalogue.find(name);
    return type?.name === name ? topicOf(config.topic, type) : null;
  },
};
