// What deploy/elastic says of our lines, held against the lines: every field that can be logged, its type, and what Kibana asks.

import { describe, expect, test } from 'bun:test';
import { auditLine } from '../../src/operate/audit.ts';
import { changes } from '../../src/operate/changes.ts';
import {
  aggregationsOf,
  elasticText,
  fieldsTemplate,
  fieldTypes,
  indexTemplate,
  queryOf,
  savedObjects,
} from '../support/elastic.ts';
import { type Kind, loggedFields } from '../support/logged-fields.ts';

const types = fieldTypes();

/** Types of Elasticsearch that take every value of a kind. */
const takes: Readonly<Record<Kind, readonly string[]>> = {
  text: ['keyword', 'match_only_text', 'wildcard', 'date'],
  number: ['long', 'double'],
  boolean: ['boolean'],
  date: ['date'],
  error: [],
  object: [],
  unknown: [],
};

describe('every field of every line', () => {
  test('is in the template, with a type that fits, and with one kind of value wherever it is written', async () => {
    const { calls, fields } = await loggedFields();
    expect(calls).toBeGreaterThan(90);
    expect(fields.length).toBeGreaterThan(120);
    const wrong = fields
      .filter(({ name }) => name !== 'err') // error.*, by the library
      .filter(({ name, at }) => name !== '*' || !/disk\/log\/(buffer|thread)\.ts/.test(at)) // they pass on complaints
      .filter(({ name, kind }) => !takes[kind].includes(types.get(name) ?? ''))
      .map(({ name, kind, at }) => `${at}: ${name}, ${kind}, is ${types.get(name) ?? 'in no template'}`);
    expect(wrong).toEqual([]);
  }, 120_000);

  test('of the audit log is there, too', () => {
    const line: Record<string, unknown> = JSON.parse(
      auditLine({
        name: 'keys add',
        change: changes['keys add']!,
        typed: [],
        sudoUser: 'anna',
        outcome: 'success',
        how: 'done',
        exit: 0,
        durationMs: 1,
      }),
    );
    for (const [name, value] of Object.entries(line)) {
      const [one] = [value].flat();
      expect({
        name,
        type: takes[typeof one === 'number' ? 'number' : 'text'].includes(types.get(name) ?? ''),
      }).toEqual({
        name,
        type: true,
      });
    }
  });

  test('is no field and an object of fields at once', () => {
    for (const name of types.keys())
      for (const other of types.keys()) expect(other.startsWith(`${name}.`) && `${name} is both`).toBe(false);
  });

  test('that is not there is kept and not indexed: a line is never refused', () => {
    expect(fieldsTemplate().template.mappings.dynamic).toBe(false);
    for (const name of ['logs', 'audit'] as const)
      expect(indexTemplate(name).template.settings['index.mapping.ignore_malformed']).toBe(true);
  });
});

test('audit lines have a data stream of their own, before that of the others, and are kept longer', () => {
  const [logs, audit] = [indexTemplate('logs'), indexTemplate('audit')];
  const beat = elasticText('filebeat.yaml');
  const targets = Bun.YAML.parse(beat) as {
    'output.elasticsearch': { indices: { index: string; 'when.equals.event.dataset'?: string }[] };
  };
  const [first, rest] = targets['output.elasticsearch'].indices;
  expect(first).toEqual({ index: 'logs-ugc.audit-default', 'when.equals.event.dataset': 'ugc.audit' });
  const isTaken = (template: typeof logs, index: string) =>
    template.index_patterns.some(pattern => new Bun.Glob(pattern).match(index));
  expect([isTaken(audit, first!.index), isTaken(logs, first!.index), isTaken(logs, rest!.index)]).toEqual([
    true,
    false,
    true,
  ]);
  expect(isTaken(audit, rest!.index)).toBe(false);
  const daysOf = (name: string): number =>
    Number.parseInt(JSON.parse(elasticText(`${name}-lifecycle.json`)).policy.phases.delete.min_age, 10);
  expect(daysOf('audit')).toBeGreaterThan(daysOf('logs'));
});

test('what load.sh puts is what the templates name', () => {
  const script = elasticText('load.sh');
  const put = [...script.matchAll(/^put (\S+) (\S+)$/gm)].map(([, path, file]) => [path!, file!] as const);
  const nameOf = (kind: string) => put.flatMap(([path]) => (path.startsWith(kind) ? [path.split('/').at(-1)] : []));
  for (const name of ['logs', 'audit'] as const) {
    const { composed_of: parts, template } = indexTemplate(name);
    expect(nameOf('_component_template')).toEqual([...parts]);
    expect(nameOf('_ilm')).toContain(String(template.settings['index.lifecycle.name']));
  }
  for (const [, file] of put) expect(() => JSON.parse(elasticText(file))).not.toThrow();
  // What a template names has to be there before it.
  expect(put.map(([path]) => path.split('/')[0])).toEqual([
    '_ilm',
    '_ilm',
    '_component_template',
    '_index_template',
    '_index_template',
  ]);
});

describe('the dashboard', () => {
  const objects = savedObjects();
  const known = new Set(objects.map(({ type, id }) => `${type} ${id}`));

  test('refers to what is there, each panel once', () => {
    for (const { references } of objects)
      for (const { type, id } of references) expect(known).toContain(`${type} ${id}`);
    const dashboard = objects.find(({ type }) => type === 'dashboard')!;
    const panels: { panelRefName: string; gridData: { x: number; w: number } }[] = JSON.parse(
      String(dashboard.attributes.panelsJSON),
    );
    expect(panels.map(({ panelRefName }) => panelRefName)).toEqual(dashboard.references.map(({ name }) => name));
    for (const { gridData } of panels) expect(gridData.x + gridData.w).toBeLessThanOrEqual(48);
    const shown = new Set(dashboard.references.map(({ id }) => id));
    const parts = objects.filter(({ type }) => type === 'visualization' || type === 'search').map(({ id }) => id);
    expect(parts.filter(id => !shown.has(id))).toEqual([]);
  });

  test('asks for fields of the template, and groups by none that is only searched', () => {
    for (const object of objects) {
      const columns = (object.attributes.columns as string[] | undefined) ?? [];
      const asked = [...queryOf(object).matchAll(/([\w.]+) :/g)].map(([, name]) => name!);
      for (const name of [...columns, ...asked])
        expect([object.id, name, types.has(name)]).toEqual([object.id, name, true]);
      for (const { type, params } of aggregationsOf(object))
        if (params.field !== undefined)
          expect([object.id, type, types.get(params.field)]).toEqual([
            object.id,
            type,
            type === 'date_histogram'
              ? 'date'
              : type === 'percentiles'
                ? 'long'
                : expect.stringMatching(/^(keyword|long)$/),
          ]);
    }
  });
});
