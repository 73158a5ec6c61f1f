// `ugc archive ls`: what the manifest says, by type and day.

import { readHoldings } from '../archive/holdings.ts';
import { type ArchiveWiring, byTypeAndDay, isInSpan, ofOneFormat, spanFlags, sumOf, withStore } from './archive.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { progressOf, say, table, writeOut } from './output.ts';

export const lsCommand = (wiring: ArchiveWiring) =>
  command(spanFlags, ({ args, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      if (args[0] !== undefined) {
        say(`ugc: ${args[0]} is not understood; see ugc help archive`);
        return 2;
      }
      const progress = progressOf('read', 'entries');
      const { files, problems } = await withStore(wiring, config, store =>
        readHoldings(store, AbortSignal.timeout(config.archiveTimeoutMs * 100), progress.at),
      );
      progress.end();
      const days = byTypeAndDay(files.filter(isInSpan(flags))).map(group => {
        const one = ofOneFormat(group, config.archiveFormat);
        return {
          type: group[0]!.type,
          day: group[0]!.day,
          events: sumOf(one, 'rows'),
          files: group.length,
          bytes: sumOf(group, 'bytes'),
          formats: [...new Set(group.map(({ format }) => format))],
        };
      });
      if (flags.json) writeOut(`${JSON.stringify({ days, problems })}\n`);
      else if (days.length === 0) writeOut('Nothing is archived of that.\n');
      else {
        const head = ['type', 'day', 'events', 'files', 'bytes', 'formats'];
        const rows = days.map(each => [each.type, each.day, each.events, each.files, each.bytes, each.formats.join()]);
        const total = (of: 'events' | 'files' | 'bytes'): number => days.reduce((sum, each) => sum + each[of], 0);
        writeOut(table(head, [...rows, ['all', '', total('events'), total('files'), total('bytes'), '']]));
      }
      if (!flags.json) for (const problem of problems) say(`ugc: ${problem}`);
      return problems.length === 0 ? 0 : 1;
    }),
  );
