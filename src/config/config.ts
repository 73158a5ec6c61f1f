// Every setting of ugc, once: name, unit, default, bounds, description, in one table a subject. `ugc help config` and the
// reference are printed from here; nothing else reads the environment.

import { archiveSettings } from './archive.ts';
import { bufferSettings } from './buffer.ts';
import { clickhouseSettings } from './clickhouse.ts';
import { clientsSettings } from './clients.ts';
import { contentSettings } from './content.ts';
import { doorSettings } from './door.ts';
import { etlSettings } from './etl.ts';
import { eventsSettings } from './events.ts';
import { httpSettings } from './http.ts';
import { jwtSettings } from './jwt.ts';
import { kafkaSettings } from './kafka.ts';
import type { Values } from './kinds.ts';
import { logSettings } from './log.ts';
import { otlpSettings } from './otlp.ts';
import { processSettings } from './process.ts';
import { pulsarSettings } from './pulsar.ts';
import { rabbitmqSettings } from './rabbitmq.ts';
import { tlsSettings } from './tls.ts';
import { transportSettings } from './transport.ts';
import { watchingSettings } from './watching.ts';

export const settings = {
  ...processSettings,
  ...httpSettings,
  ...tlsSettings,
  ...watchingSettings,
  ...otlpSettings,
  ...doorSettings,
  ...jwtSettings,
  ...clientsSettings,
  ...eventsSettings,
  ...transportSettings,
  ...logSettings,
  ...bufferSettings,
  ...kafkaSettings,
  ...pulsarSettings,
  ...rabbitmqSettings,
  ...etlSettings,
  ...clickhouseSettings,
  ...contentSettings,
  ...archiveSettings,
};

export type Config = Values<typeof settings>;
