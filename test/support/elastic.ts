// deploy/elastic as it is read by tests: the templates, and what Kibana is given.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const elasticFolder = join(import.meta.dir, '../../deploy/elastic');

export const elasticText = (name: string): string => readFileSync(join(elasticFolder, name), 'utf8');

interface Mapping {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Mapping>>;
}

export interface FieldsTemplate {
  readonly template: { readonly mappings: Mapping & { readonly dynamic: unknown } };
}

export const fieldsTemplate = (): FieldsTemplate => JSON.parse(elasticText('fields.json'));

/** The type of every field, by its whole name. */
export function fieldTypes(): ReadonlyMap<string, string> {
  const types = new Map<string, string>();
  const walk = ({ properties = {} }: Mapping, before: string): void => {
    for (const [name, mapping] of Object.entries(properties)) {
      if (mapping.type !== undefined) types.set(before + name, mapping.type);
      walk(mapping, `${before}${name}.`);
    }
  };
  walk(fieldsTemplate().template.mappings, '');
  return types;
}

export interface IndexTemplate {
  readonly index_patterns: readonly string[];
  readonly data_stream: object;
  readonly priority: number;
  readonly composed_of: readonly string[];
  readonly template: { readonly settings: Readonly<Record<string, unknown>> };
}

export const indexTemplate = (name: 'logs' | 'audit'): IndexTemplate => JSON.parse(elasticText(`${name}.json`));

export interface SavedObject {
  readonly type: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly { readonly name: string; readonly type: string; readonly id: string }[];
}

export const savedObjects = (): readonly SavedObject[] =>
  elasticText('dashboard.ndjson')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));

export interface Aggregation {
  readonly id: string;
  readonly type: 'count' | 'percentiles' | 'date_histogram' | 'terms';
  readonly schema: string;
  readonly params: { readonly field?: string; readonly size?: number; readonly percents?: readonly number[] };
}

export const aggregationsOf = ({ attributes }: SavedObject): readonly Aggregation[] =>
  attributes.visState === undefined ? [] : JSON.parse(String(attributes.visState)).aggs;

/** What is asked for, in Kibana's language; '' = everything. */
export function queryOf({ attributes }: SavedObject): string {
  const meta = attributes.kibanaSavedObjectMeta as { readonly searchSourceJSON: string } | undefined;
  return meta === undefined ? '' : JSON.parse(meta.searchSourceJSON).query.query;
}
