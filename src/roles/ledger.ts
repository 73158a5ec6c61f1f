// The ledger of this instance, wired: only if asked for, through the very log its events go to.

import { ledgerTopic, ledgerType } from '../../schemas/ledger.ts';
import type { Config } from '../config/config.ts';
import { type Ledger, startLedger } from '../ingest/ledger.ts';
import type { Log } from '../ports/ports.ts';
import type { Logger } from '../process/telemetry.ts';

export const openLedger = (config: Config, log: Log, logger: Logger): Ledger | null =>
  config.ledger
    ? startLedger({
        log,
        type: ledgerType,
        topic: ledgerTopic(config.topic),
        onDropped: entries => logger.error({ entries }, 'the ledger has a gap: too many entries wait for the log'),
      })
    : null;
