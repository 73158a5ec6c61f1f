// Log lines for the person in front of a terminal: time, level and words instead of ECS JSON. A pipe or a file gets the JSON.

import type { DestinationStream } from 'pino';
import pretty, { isColorSupported } from 'pino-pretty';

/** What every line of a process says alike; dots of ECS names are no paths. */
const alike = ['process.pid', 'host.hostname', 'ecs.version', 'service.name', 'event.dataset'];
const named = (name: string): string => name.replaceAll('.', '\\.');

/** Takes lines of ECS JSON; ending it ends `destination`. */
export const readableInto = (destination: DestinationStream): ReturnType<typeof pretty> =>
  pretty({
    colorize: isColorSupported,
    destination,
    ignore: alike.map(named).join(','),
    levelKey: named('log.level'),
    messageKey: 'message',
    singleLine: true,
    timestampKey: '@timestamp',
    translateTime: 'SYS:HH:MM:ss',
  });
