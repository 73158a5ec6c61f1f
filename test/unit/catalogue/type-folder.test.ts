// A folder of event types, read as a whole.

import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../../../schemas/catalogue.ts';
import { typeFolder } from '../../../src/catalogue/type-folder.ts';
import { typeFiles, typeJson } from '../../support/type-files.ts';
import { temporaryFolder } from '../../support/ugc.ts';

const filesIn = () => typeFiles(temporaryFolder());
const problemsOf = (folder: string): readonly string[] => {
  const read = typeFolder(folder, catalogue).read();
  return read.ok ? [] : read.problems;
};

test('every .json file is a type; hidden ones and others are none', () => {
  const files = filesIn();
  for (const name of ['b', 'a']) files.write(typeJson(name));
  writeFileSync(join(files.folder, '.a.json.swp'), 'x');
  writeFileSync(join(files.folder, 'README.md'), 'x');
  writeFileSync(join(files.folder, '.hidden.json'), 'x');
  const read = typeFolder(files.folder, catalogue).read();
  expect(read.ok && read.files.map(({ type }) => type.name)).toEqual(['a', 'b']);
});

test('a file whose text is what it was is the type it was, and not compiled again', () => {
  const files = filesIn();
  for (const name of ['a', 'b']) files.write(typeJson(name));
  const folder = typeFolder(files.folder, catalogue);
  const types = () => {
    const read = folder.read();
    return read.ok ? read.files.map(({ type }) => type) : [];
  };
  const before = types();
  files.write(typeJson('b', { description: 'Another' }));
  const after = types();
  expect(after[0]).toBe(before[0]!);
  expect(after[1]).not.toBe(before[1]!);
});

test('names that others have are refused: of built-in types, of aliases, of each other, of other tables', () => {
  const files = filesIn();
  files.write(typeJson('click'));
  files.write(typeJson('own', { aliases: ['PageVisit'] }));
  files.write(typeJson('twice'), 'x.json');
  files.write(typeJson('twice'), 'y.json');
  files.write(typeJson('film_views_daily'));
  files.write(typeJson('a_rows'));
  expect(problemsOf(files.folder)).toEqual([
    'a_rows.json /name a_rows is the name of another table',
    'click.json /name click is an event type of ugc itself already',
    'film_views_daily.json /name film_views_daily is the name of another table',
    'own.json /name PageVisit is an event type of ugc itself already',
    'y.json /name twice is an event type of x.json already',
  ]);
});

test('the problems of all files are told, each with its file and line', () => {
  const files = filesIn();
  files.write('{', 'a.json');
  files.write(typeJson('b', { stream: 'x' }));
  files.write(typeJson('c'));
  expect(problemsOf(files.folder)).toEqual([
    expect.stringMatching(/^a\.json:1 is not JSON/),
    expect.stringMatching(/^b\.json:5 \/stream must be one of event, view, content/),
  ]);
});

test('a folder that is not there is a problem, not nothing', () => {
  const folder = typeFolder('/nowhere/at/all', catalogue);
  expect(folder.stamp()).toBeNull();
  expect(problemsOf('/nowhere/at/all')[0]).toContain('/nowhere/at/all');
});
