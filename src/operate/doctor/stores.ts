// The groups `content` and `archive`: whether their stores answer, and what waits for them. Neither is prepared, and nothing
// is written to them.

import { lookAtPostgres } from '../../adapters/postgres/look.ts';
import { manifestFolder } from '../../archive/layout.ts';
import { lastVerification } from '../../archive/verified.ts';
import { hasArchive } from '../../config/archive.ts';
import type { Config } from '../../config/config.ts';
import { readClientTls } from '../../config/pem.ts';
import { PipelineError } from '../../errors.ts';
import type { ColdStore } from '../../ports/cold-store.ts';
import { countOf, duration } from '../output.ts';
import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';
import { type Instance, sumOf } from './instance.ts';

const contentPage = 'docs/operate/content.md';
const archivePage = 'docs/operate/archive.md';

export const contentGroup: GroupOf = ({ config, isBeforeStart, instance }) =>
  config.role.some(role => role === 'all' || role === 'content')
    ? {
        name: 'content',
        probes: [
          ...(config.databaseUrl === ''
            ? []
            : [
                {
                  id: 'content.store',
                  hint: 'see UGC_DATABASE_URL',
                  page: contentPage,
                  look: async () => [await databaseOf(config)],
                },
              ]),
          ...(isBeforeStart
            ? []
            : [
                {
                  id: 'content.outbox',
                  hint: 'see its log',
                  page: contentPage,
                  look: async () => flowOf(await instance),
                },
              ]),
        ],
      }
    : null;

async function databaseOf({ databaseUrl: url, databaseCa }: Config): Promise<Check> {
  const id = 'content.store';
  const { ca = null } = readClientTls({ ca: ['UGC_DATABASE_CA', databaseCa], cert: ['', ''], key: ['', ''] });
  try {
    const { version, user, isMade, mayMake } = await lookAtPostgres({ url, ca });
    const seen = `PostgreSQL ${version} answers, as user ${user}`;
    if (isMade || mayMake) return good(id, isMade ? seen : `${seen}; the start makes its tables`);
    return wrong(id, {
      seen: `${seen}, who may make no tables, and there are none`,
      follows: 'likes, reviews and bookmarks are answered 503',
      hint: `GRANT CREATE ON SCHEMA public TO ${user}`,
      page: contentPage,
    });
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return wrong(id, {
      seen: error.message,
      follows: 'likes, reviews and bookmarks are answered 503; events are not touched by it',
      hint: 'start it, or set UGC_DATABASE_URL right',
      page: contentPage,
    });
  }
}

/** What is younger is on its way. */
const oldS = 60;

function flowOf(instance: Instance | null): readonly Check[] {
  if (instance === null) return [];
  const told = Object.entries(instance.troubles)
    .filter(([part]) => part.startsWith('content'))
    .map(([part, seen]) =>
      wrong(`content.${part.replace(/^content_?/, '') || 'store'}`, {
        seen,
        follows: 'what needs it waits or is answered 503; events are not touched by it',
        hint: 'repair what it says; it goes on by itself',
        page: contentPage,
      }),
    );
  const waiting = sumOf(instance.now, 'ugc_content_outbox_events');
  const oldestS = sumOf(instance.now, 'ugc_content_outbox_oldest_seconds') ?? 0;
  if (waiting === null) return told;
  const seen = `${countOf(waiting, 'event')} of the content store wait to be published`;
  if (oldestS < oldS) return [...told, good('content.outbox', seen)];
  return [
    ...told,
    doubtful('content.outbox', {
      seen: `${seen}, the oldest for ${duration(oldestS * 1_000)}`,
      follows: 'the store is right, and the tables do not know it yet',
      hint: 'see whether a process with --role=content runs, and the groups buffer and disk',
      page: contentPage,
    }),
  ];
}

export const archiveGroup =
  (storeOf: (config: Config) => ColdStore): GroupOf =>
  ({ config, isBeforeStart, instance }) =>
    hasArchive(config)
      ? {
          name: 'archive',
          probes: [
            {
              id: 'archive.store',
              hint: 'see UGC_ARCHIVE_URL',
              page: archivePage,
              look: signal => storeChecks(storeOf(config), signal, isBeforeStart),
            },
            ...(isBeforeStart
              ? []
              : [
                  {
                    id: 'archive.lag',
                    hint: 'see its log',
                    page: archivePage,
                    look: async () => archivedOf(await instance, config),
                  },
                ]),
          ],
        }
      : null;

/** Asked for a file that nobody makes, and for what was verified. */
async function storeChecks(store: ColdStore, signal: AbortSignal, isBeforeStart: boolean): Promise<readonly Check[]> {
  try {
    await store.read(`${manifestFolder}/doctor`, signal);
    const answers = good('archive.store', `${store.title} answers`);
    return isBeforeStart ? [answers] : [answers, await verifiedCheck(store)];
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return [storeTrouble(error)];
  } finally {
    await store.close();
  }
}

function storeTrouble({ message: seen }: PipelineError): Check {
  if (/is not there: is .+ mounted\?/.test(seen))
    return doubtful('archive.store', {
      seen,
      follows: 'where there never was an archive the start makes one; where there was, its volume is missing',
      hint: 'see whether the folder of UGC_ARCHIVE_URL is mounted',
      page: archivePage,
    });
  return wrong('archive.store', {
    seen,
    follows: 'cold files are not written; what is not archived waits in the log',
    hint: 'bring it back, or set UGC_ARCHIVE_URL and its keys right',
    page: archivePage,
  });
}

const verifyAgeMsMax = 31 * 86_400_000;

async function verifiedCheck(store: ColdStore): Promise<Check> {
  const id = 'archive.verified';
  const last = await lastVerification(store);
  const hint = 'run ugc archive verify, by a timer';
  const follows = 'nobody knows whether it could be read back';
  if (last === null)
    return doubtful(id, { seen: 'nobody has verified all of it yet', follows, hint, page: archivePage });
  const days = last.wholeTo === null ? 'no day is over and whole' : `whole up to ${last.wholeTo}`;
  const seen = `verified at ${last.at}: ${last.closes ? days : (last.problems[0] ?? 'it is not whole')}`;
  if (!last.closes)
    return wrong(id, {
      seen,
      follows: 'what it names may not be there to be brought back',
      hint: 'mend it as it says, then run ugc archive verify again',
      page: archivePage,
    });
  const ageMs = Date.now() - Date.parse(last.at);
  return ageMs <= verifyAgeMsMax ? good(id, seen) : doubtful(id, { seen, follows, hint, page: archivePage });
}

/** A file is late after so many times its age at most. */
const lateFactor = 2;

function archivedOf(instance: Instance | null, { archiveFileSeconds }: Config): readonly Check[] {
  if (instance === null) return [];
  const told = Object.entries(instance.troubles)
    .filter(([part]) => part.startsWith('archive'))
    .map(([part, seen]) =>
      wrong(part.replace('_', '.').replace(/^archive$/, 'archive.moving'), {
        seen,
        follows: 'what is not archived waits in the log',
        hint: 'repair what it says; it goes on by itself',
        page: archivePage,
      }),
    );
  const behind = sumOf(instance.now, 'ugc_archive_lag_events');
  if (behind === null) return told;
  const seen = `${countOf(behind, 'event')} not archived yet`;
  const gatheredS = sumOf(instance.now, 'ugc_archive_gathered_seconds') ?? 0;
  if (gatheredS <= archiveFileSeconds * lateFactor) return [...told, good('archive.lag', seen)];
  return [
    ...told,
    doubtful('archive.lag', {
      seen: `${seen}; the oldest were read ${duration(gatheredS * 1_000)} ago, and UGC_ARCHIVE_FILE_SECONDS is ${archiveFileSeconds}`,
      follows: 'they wait in the log until they are archived',
      hint: 'see what the instance says of its archive, and whether the store is slow',
      page: archivePage,
    }),
  ];
}
