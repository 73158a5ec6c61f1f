// `ugc archive ls`: what the manifest says, by type and day.

import { readHoldings } from '../archive/holdings.ts';
import type { Config } from '../config/config.ts';
import { flag } from '../config/kinds.ts';
import { type ArchiveWiring, byTypeAndDay, isInSpan, ofOneFormat, spanFlags, sumOf, withStore } from './archive.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { progressOf, say, table, writeOut } from './output.ts';

export const lsFlags = {
  ...spanFlags,
  paths: flag({
    default: false,
    help: 'The files that are read today, a line each, of the first format of the settings',
  }),
};

export const lsCommand = (wiring: ArchiveWiring) =>
  command(lsFlags, ({ args, flags, config }) =>
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
      const groups = byTypeAndDay(files.filter(isInSpan(flags)));
      if (flags.paths) writeOut(pathsOf(groups, config));
      else {
        const days = daysOf(groups, config);
        writeOut(flags.json ? `${JSON.stringify({ days, problems })}\n` : textOf(days));
      }
      if (!flags.json || flags.paths) for (const problem of problems) say(`ugc: ${problem}`);
      return problems.length === 0 ? 0 : 1;
    }),
  );

type Groups = ReturnType<typeof byTypeAndDay>;

const pathsOf = (groups: Groups, { archiveFormat }: Config): string =>
  groups
    .flatMap(group => ofOneFormat(group, archiveFormat))
    .map(({ path }) => `${path}\n`)
    .join('');

const daysOf = (groups: Groups, { archiveFormat }: Config) =>
  groups.map(group => ({
    type: group[0]!.type,
    day: group[0]!.day,
    events: sumOf(ofOneFormat(group, archiveFormat), 'rows'),
    files: group.length,
    bytes: sumOf(group, 'bytes'),
    formats: [...new Set(group.map(({ format }) => format))],
  }));

function textOf(days: ReturnType<typeof daysOf>): string {
  if (days.length === 0) return 'Nothing is archived of that.\n';
  const head = ['type', 'day', 'events', 'files', 'bytes', 'formats'];
  const rows = days.map(each => [each.type, each.day, each.events, each.files, each.bytes, each.formats.join()]);
  const total = (of: 'events' | 'files' | 'bytes'): number => days.reduce((sum, each) => sum + each[of], 0);
  return table(head, [...rows, ['all', '', total('events'), total('files'), total('bytes'), '']]);
}
