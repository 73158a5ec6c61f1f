// Settings: the cold archive: where it is, and how its files are.

import { bytes, choice, choices, flag, integer, text, type Values } from './kinds.ts';
import { brokerOf, type SaidTransport } from './transport.ts';

export const archiveSettings = {
  archiveUrl: text({
    default: '',
    takes: 'file:///folder, webhdfs://host:9870/path (webhdfss:// over TLS), s3://bucket/prefix',
    pattern: /^((file:\/\/\/|webhdfss?:\/\/[^\s/?#@]+\/|s3:\/\/[a-z0-9][a-z0-9.-]{1,62}(\/|$))[^\s?#]*)?$/,
    help: 'Where the role archive keeps cold files; empty = there is no archive',
  }),
  archiveFormat: choices({
    of: ['parquet', 'csv'],
    default: 'parquet',
    help: 'What the files are; several with commas = each event in each of them',
  }),
  archiveCompression: choice({ of: ['zstd', 'snappy', 'none'], default: 'snappy', help: 'Of Parquet files' }),
  archiveFileBytes: bytes({
    default: '128MiB',
    min: '64KiB',
    max: '2GiB',
    help: 'A file is closed once it holds so much of events, as JSON',
  }),
  archiveFileSeconds: integer({
    default: 3_600,
    min: 1,
    max: 86_400,
    help: 'A file is closed so long after its first event was taken in at the latest',
  }),
  archiveMemoryBytes: bytes({
    default: '256MiB',
    min: '16MiB',
    max: '64GiB',
    help: 'Events gathered for files, of all types together; beyond it the largest is closed early',
  }),
  archiveNice: integer({
    default: 10,
    min: 0,
    max: 19,
    help: 'How far the making of files, and a process with the role archive alone, stands back for the processor behind everything else on the machine; 0 = not at all',
  }),
  archiveTlsCa: text({
    default: '',
    takes: 'a PEM file',
    help: 'Authorities to trust of that server; empty = those of the system',
  }),
  archiveTimeoutMs: integer({ default: 60_000, min: 1_000, max: 3_600_000, help: 'To write or read one file there' }),
  archiveUser: text({
    default: '',
    takes: 'a name',
    pattern: /^[\w.@-]*$/,
    help: 'Whom WebHDFS takes it for (user.name)',
  }),
  archiveEndpoint: text({
    default: '',
    takes: 'https://host:port',
    pattern: /^(https?:\/\/[^\s/?#@]+)?\/?$/,
    help: 'Of an S3-compatible server; empty = that of AWS in the region',
  }),
  archiveRegion: text({ default: 'us-east-1', takes: 'a region', pattern: /^[a-z0-9-]+$/, help: 'Of the S3 bucket' }),
  archiveAccessKey: text({ default: '', takes: 'a key id', help: 'Whom S3 takes it for' }),
  archiveSecretKey: text({ default: '', takes: 'a secret', secret: true, help: 'That of UGC_ARCHIVE_ACCESS_KEY' }),
  archiveSessionToken: text({ default: '', takes: 'a token', secret: true, help: 'Of temporary keys of S3' }),
  archiveAddressing: choice({
    of: ['auto', 'path', 'host'],
    default: 'auto',
    help: 'https://host/bucket/key or https://bucket.host/key; auto = host at AWS, path at UGC_ARCHIVE_ENDPOINT',
  }),
  archiveSingleWriter: flag({
    default: false,
    help: 'One process alone archives into this S3: a server that does not keep to If-None-Match is taken, too',
  }),
  hiveUrl: text({
    default: '',
    takes: 'hive2://user:password@host:10000/database, with ?auth=noSasl where Hive has no SASL',
    pattern: /^(hive2:\/\/[^\s/?#]+(\/[\w]*)?(\?auth=(noSasl|plain))?)?$/,
    secret: true, // may carry a password
    help: 'HiveServer2 that is told of new tables and days; empty = ugc schema hive prints the statements',
  }),
};

type ArchiveConfig = Values<typeof archiveSettings> & SaidTransport & { readonly role: readonly string[] };

/** `all` means the role where there is a place for it. */
export const hasArchive = ({ archiveUrl }: Pick<ArchiveConfig, 'archiveUrl'>): boolean => archiveUrl !== '';

/** What the settings of the archive say against each other and against others, in words. */
export function archiveProblems(config: ArchiveConfig): string[] {
  const { archiveUrl: url } = config;
  const problems: string[] = [];
  if (config.role.includes('archive') && url === '')
    problems.push('UGC_ROLE=archive needs UGC_ARCHIVE_URL: where its files are kept, e.g. file:///var/lib/ugc-archive');
  if (url !== '' && brokerOf(config) === 'rabbitmq')
    problems.push(
      'UGC_ARCHIVE_URL does not go with UGC_TRANSPORT=rabbitmq: RabbitMQ gives no place of a record that outlives redelivery, so nobody could tell what is archived; take kafka, pulsar or the disk',
    );
  if (config.archiveMemoryBytes < config.archiveFileBytes)
    problems.push(
      'UGC_ARCHIVE_MEMORY_BYTES must not be smaller than UGC_ARCHIVE_FILE_BYTES: no file would reach its size',
    );
  const set = { file: url.startsWith('file:'), hdfs: url.startsWith('webhdfs') };
  if (config.archiveUser !== '' && !set.hdfs) problems.push('UGC_ARCHIVE_USER needs UGC_ARCHIVE_URL to be webhdfs://…');
  problems.push(...s3Problems(config));
  if (config.archiveTlsCa !== '' && (set.file || url === ''))
    problems.push('UGC_ARCHIVE_TLS_CA needs UGC_ARCHIVE_URL to be of a server');
  if (config.hiveUrl !== '' && url === '')
    problems.push('UGC_HIVE_URL needs UGC_ARCHIVE_URL: tables are made over its files');
  return problems;
}

function s3Problems(config: ArchiveConfig): string[] {
  const { archiveUrl: url, archiveEndpoint, archiveAccessKey, archiveSecretKey, archiveSessionToken } = config;
  const problems: string[] = [];
  const isS3 = url.startsWith('s3:');
  if (isS3 && archiveAccessKey + archiveSecretKey === '')
    problems.push(
      'UGC_ARCHIVE_URL=s3://… needs UGC_ARCHIVE_ACCESS_KEY and UGC_ARCHIVE_SECRET_KEY (or UGC_ARCHIVE_SECRET_KEY_FILE)',
    );
  if ((archiveAccessKey === '') !== (archiveSecretKey === ''))
    problems.push('UGC_ARCHIVE_ACCESS_KEY and UGC_ARCHIVE_SECRET_KEY need each other');
  if (archiveSessionToken !== '' && archiveAccessKey === '')
    problems.push('UGC_ARCHIVE_SESSION_TOKEN needs UGC_ARCHIVE_ACCESS_KEY and UGC_ARCHIVE_SECRET_KEY');
  if (!isS3 && archiveEndpoint + archiveAccessKey !== '')
    problems.push('UGC_ARCHIVE_ENDPOINT and UGC_ARCHIVE_ACCESS_KEY need UGC_ARCHIVE_URL to be s3://…');
  if (!isS3 && config.archiveAddressing !== 'auto')
    problems.push('UGC_ARCHIVE_ADDRESSING needs UGC_ARCHIVE_URL to be s3://…');
  if (!isS3 && config.archiveSingleWriter)
    problems.push('UGC_ARCHIVE_SINGLE_WRITER needs UGC_ARCHIVE_URL to be s3://…');
  return problems;
}
