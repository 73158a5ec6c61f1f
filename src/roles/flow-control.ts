// Where wishes of flows are kept: in the log, where it is one that all processes share and can keep them; else in the data
// folder, where they count for the processes on that folder alone.

import { fileFlowControl } from '../adapters/flow-file/control.ts';
import type { Config } from '../config/config.ts';
import { brokerOf } from '../config/transport.ts';
import type { FlowControl } from '../ports/flow-control.ts';
import type { Transport } from '../ports/transport.ts';
import { flowsFile } from '../process/instance.ts';
import { type Logger, openLogs } from '../process/telemetry.ts';
import { behindInKafka, kafkaFlowControlOf } from './kafka.ts';

/** Throws `config_invalid` when the file of wishes is wrong. */
export const flowControlOf = (
  { dataDir }: Config,
  transport: Pick<Transport, 'openFlowControl'> | null,
  logger: Logger,
): FlowControl => transport?.openFlowControl?.() ?? fileFlowControl({ path: flowsFile(dataDir), logger });

const isOfKafka = (config: Config): boolean => brokerOf(config) === 'kafka';

/** The same for a command, which says itself what there is to say. */
export const flowsWiring = {
  isOfFolder: (config: Config): boolean => !isOfKafka(config),
  controlOf(config: Config): FlowControl {
    const { logger } = openLogs({ level: 'silent', requests: { share: 0, slowMs: null } });
    if (isOfKafka(config)) return kafkaFlowControlOf(config, logger);
    return fileFlowControl({ path: flowsFile(config.dataDir), logger });
  },
  behindOf: async (config: Config, reader: string | null, topics: readonly string[]) =>
    isOfKafka(config) ? behindInKafka(config, reader, topics) : null,
};
