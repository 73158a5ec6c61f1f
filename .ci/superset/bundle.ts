// What Superset imports (`superset import-dashboards`), made from a list of datasets, charts and dashboards: one file each, in
// the layout of its own exports, version 1.0.0. Identities follow from names, so that importing again replaces.

export interface DatasetColumn {
  readonly name: string;
  /** As the database calls it. */
  readonly type: string;
  readonly about?: string;
}

export interface Dataset {
  readonly name: string;
  readonly database: 'ClickHouse' | 'Hive';
  readonly about: string;
  /** What it selects, where it is no table of that name. */
  readonly sql?: string;
  /** The column that says when. */
  readonly time?: string;
  readonly columns: readonly DatasetColumn[];
  /** Name → expression. */
  readonly metrics: Readonly<Record<string, string>>;
}

export interface Chart {
  readonly name: string;
  readonly dataset: Dataset;
  readonly about: string;
  readonly kind: string;
  /** As Superset's form calls them. */
  readonly form: Readonly<Record<string, unknown>>;
  /** Of 12 columns. */
  readonly width: number;
  /** In rows of 8 pixels. */
  readonly height: number;
}

export interface Dashboard {
  readonly title: string;
  readonly slug: string;
  readonly about: string;
  readonly rows: readonly (readonly Chart[])[];
  readonly refreshSeconds: number;
}

const version = '1.0.0';
const schema = 'ugc';
/** Its time is a text there, which is why it is quoted. */
const metadata = `version: ${version}\ntype: Dashboard\ntimestamp: '2026-11-28T00:00:00+00:00'\n`;

/** Where each of them is by default; load.sh sets where it is in truth. */
const addresses: Readonly<Record<Dataset['database'], { readonly uri: string; readonly extra: object }>> = {
  ClickHouse: { uri: 'clickhousedb://default@localhost:8123/ugc', extra: {} },
  Hive: { uri: 'hive://hive@localhost:10000/ugc', extra: {} },
};

/** Files by their path in the bundle's folder. */
export function bundleOf(dashboards: readonly Dashboard[]): ReadonlyMap<string, string> {
  const charts = dashboards.flatMap(({ rows }) => rows.flat());
  const datasets = [...new Set(charts.map(({ dataset }) => dataset))];
  const databases = [...new Set(datasets.map(({ database }) => database))];
  const files: readonly (readonly [string, object])[] = [
    ...databases.map(name => [`databases/${name}.yaml`, databaseFile(name)] as const),
    ...datasets.map(each => [`datasets/${each.database}/${each.name}.yaml`, datasetFile(each)] as const),
    ...charts.map(chart => [`charts/${slugOf(chart.name)}.yaml`, chartFile(chart)] as const),
    ...dashboards.map(board => [`dashboards/${board.slug}.yaml`, dashboardFile(board)] as const),
  ];
  return new Map([
    ['metadata.yaml', metadata],
    ...files.map(([path, value]) => [path, `${Bun.YAML.stringify(value, null, 2)}\n`] as const),
  ]);
}

const databaseFile = (name: Dataset['database']) => ({
  database_name: name,
  sqlalchemy_uri: addresses[name].uri,
  expose_in_sqllab: true,
  allow_run_async: false,
  allow_ctas: false,
  allow_cvas: false,
  allow_dml: false,
  allow_csv_upload: false,
  extra: addresses[name].extra,
  uuid: uuidOf('database', name),
  version,
});

const datasetFile = ({ name, database, about, sql, time, columns, metrics }: Dataset) => ({
  table_name: name,
  main_dttm_col: time ?? null,
  description: about,
  schema,
  catalog: null,
  sql: sql ?? null,
  params: null,
  template_params: null,
  filter_select_enabled: true,
  fetch_values_predicate: null,
  extra: null,
  uuid: uuidOf('dataset', `${database}.${name}`),
  metrics: Object.entries(metrics).map(([metric, expression]) => ({
    metric_name: metric,
    expression,
    verbose_name: metric.replaceAll('_', ' '),
    metric_type: null,
    description: null,
    d3format: null,
    extra: {},
    warning_text: null,
  })),
  columns: columns.map(column => ({
    column_name: column.name,
    type: column.type,
    description: column.about ?? null,
    is_dttm: /date|timestamp/i.test(column.type) || column.name === time,
    groupby: true,
    filterable: true,
    is_active: true,
  })),
  version,
  database_uuid: uuidOf('database', database),
});

const chartFile = ({ name, about, kind, form, dataset }: Chart) => ({
  slice_name: name,
  description: about,
  viz_type: kind,
  params: { viz_type: kind, adhoc_filters: [], ...form },
  query_context: null,
  cache_timeout: null,
  uuid: uuidOf('chart', name),
  version,
  dataset_uuid: uuidOf('dataset', `${dataset.database}.${dataset.name}`),
});

function dashboardFile({ title, slug, about, rows, refreshSeconds }: Dashboard) {
  const names = rows.map((_, row) => `ROW-${row + 1}`);
  const boxes = rows.flatMap((charts, row) =>
    charts.map(chart => [`CHART-${slugOf(chart.name)}`, boxOf(chart, `ROW-${row + 1}`)] as const),
  );
  return {
    dashboard_title: title,
    description: about,
    css: '',
    slug,
    uuid: uuidOf('dashboard', slug),
    position: {
      DASHBOARD_VERSION_KEY: 'v2',
      ROOT_ID: { id: 'ROOT_ID', type: 'ROOT', children: ['GRID_ID'] },
      GRID_ID: { id: 'GRID_ID', type: 'GRID', children: names, parents: ['ROOT_ID'] },
      HEADER_ID: { id: 'HEADER_ID', type: 'HEADER', meta: { text: title } },
      ...Object.fromEntries(
        rows.map((charts, row) => [
          names[row],
          {
            id: names[row],
            type: 'ROW',
            children: charts.map(chart => `CHART-${slugOf(chart.name)}`),
            parents: ['ROOT_ID', 'GRID_ID'],
            meta: { background: 'BACKGROUND_TRANSPARENT' },
          },
        ]),
      ),
      ...Object.fromEntries(boxes),
    },
    metadata: { refresh_frequency: refreshSeconds, color_scheme: 'supersetColors', cross_filters_enabled: true },
    version,
  };
}

const boxOf = ({ name, width, height }: Chart, row: string) => ({
  id: `CHART-${slugOf(name)}`,
  type: 'CHART',
  children: [],
  parents: ['ROOT_ID', 'GRID_ID', row],
  meta: { chartId: 0, width, height, sliceName: name, uuid: uuidOf('chart', name) },
});

const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

/** UUID of version 8: of the name alone. */
function uuidOf(kind: string, name: string): string {
  const hex = new Bun.CryptoHasher('sha256').update(`ugc superset ${kind} ${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
