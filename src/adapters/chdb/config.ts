// What the embedded engine is told before it starts: limits, caches and, above all, what SQL may touch. The library is
// a clickhouse-local inside, which by itself lets any query read and write the machine's files (file(), `FROM
// '/etc/passwd'`, url(), INTO OUTFILE). A query port on top of that would be a hole, so:
//
// - the one user is granted everything except SOURCES: no file(), url(), s3(), remote(), executable(), ENGINE = File, …
// - settings that name files or smuggle expressions past the port's own look at a query cannot be changed by any query.
//
// What grants cannot close (the scalar function file(), INTO OUTFILE) the query port refuses itself: clickhouse/sql.ts.

export interface EngineLimits {
  readonly memoryBytesMax: number;
}

/** Half of it, so that an insert is never the one to find none. */
export const guestMemoryBytesMax = (memoryBytesMax: number): number => Math.floor(memoryBytesMax / 2);

/**
 * Everything a user of a server has, except SOURCES, named collections, BACKUP, INTROSPECTION and stopping the engine.
 */
const granted = [
  'CHECK, SHOW, SELECT, INSERT, ALTER, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, KILL QUERY, dictGet',
  'CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE TEMPORARY TABLE, CREATE FUNCTION, DROP FUNCTION',
  'SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM VIEWS, SYSTEM DROP CACHE, SYSTEM RELOAD FUNCTION',
].join(', ');

/** Settings no query may change. The first ones read or write a path they are given, the others carry SQL. */
const pinned = [
  'format_schema',
  'format_schema_source',
  'format_template_resultset',
  'format_template_row',
  'output_format_schema',
  'input_format_record_errors_file_path',
  'format_avro_schema_registry_url',
  'rename_files_after_processing',
  'into_outfile_create_parent_directories',
  'url_base',
  'additional_table_filters',
  'additional_result_filter',
  'parallel_replicas_custom_key',
  'dialect',
  'allow_introspection_functions',
  'allow_experimental_eval_table_function',
  'allow_experimental_ai_functions',
  'allow_python_table_function',
];

/**
 * The server half. Sizes of caches are small because they count as idle memory; the page cache of the OS does the rest.
 */
export function engineConfig(usersPath: string, { memoryBytesMax }: EngineLimits): string {
  const cacheBytes = Math.min(64 * 2 ** 20, Math.floor(memoryBytesMax / 16));
  return xml({
    users_config: usersPath,
    max_server_memory_usage: memoryBytesMax,
    mark_cache_size: cacheBytes,
    index_mark_cache_size: cacheBytes / 4,
    primary_index_cache_size: cacheBytes,
    uncompressed_cache_size: 0,
    index_uncompressed_cache_size: 0,
    query_condition_cache_size: cacheBytes / 4,
    compiled_expression_cache_size: cacheBytes / 4,
    parquet_metadata_cache_size: 0,
    iceberg_metadata_files_cache_size: 0,
    background_pool_size: 2,
    background_merges_mutations_concurrency_ratio: 2,
    background_schedule_pool_size: 2,
    // What the engine measures of itself at rest need not be as of the last twentieth of a second.
    memory_worker_period_ms: 500,
    asynchronous_metrics_update_period_s: 60,
    max_thread_pool_size: 256,
    max_thread_pool_free_size: 8,
    send_crash_reports: { enabled: 0 },
    merge_tree: {
      // Of what it has chosen to merge the engine drops small parts at the end again, down to two: a table of a
      // megabyte would be written anew with each insert.
      merge_selector_enable_heuristic_to_remove_small_parts_at_right: 0,
      // A merge writes its result before it frees its sources; with a small pool big ones would starve the small ones.
      number_of_free_entries_in_pool_to_lower_max_size_of_merge: 2,
      number_of_free_entries_in_pool_to_execute_mutation: 2,
      number_of_free_entries_in_pool_to_execute_optimize_entire_partition: 2,
    },
  });
}

/** The access half: one user without password, reached only from inside this process. */
export function usersConfig({ memoryBytesMax }: EngineLimits): string {
  return xml({
    profiles: {
      default: {
        async_insert: 0,
        log_queries: 0,
        constraints: {
          ...Object.fromEntries(pinned.map(name => [name, { readonly: '' }])),
          // A query may ask for less memory than a guest gets, never for more.
          max_memory_usage: { min: 2 ** 20, max: guestMemoryBytesMax(memoryBytesMax) },
        },
      },
    },
    users: {
      default: {
        password: '',
        networks: { ip: '::/0' },
        profile: 'default',
        quota: 'default',
        grants: { query: `GRANT ${granted} ON *.*` },
      },
    },
    quotas: { default: '' },
  });
}

interface Tree {
  readonly [name: string]: string | number | Tree;
}

function xml(tree: Tree): string {
  const write = (node: string | number | Tree): string =>
    typeof node === 'object'
      ? Object.entries(node)
          .map(([name, value]) => `<${name}>${write(value)}</${name}>\n`)
          .join('')
      : String(node).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return write({ clickhouse: tree });
}
