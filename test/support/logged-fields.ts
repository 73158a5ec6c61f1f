// Every field that a line of ours can have, read out of the sources by TypeScript itself: what is handed to a logger, by the
// type it has there.

import { join } from 'node:path';
import {
  type CallExpression,
  isCallExpression,
  isElementAccessExpression,
  isPropertyAccessExpression,
  type Node,
} from 'typescript/unstable/ast';
import { API, type Checker, type Type, TypeFlags } from 'typescript/unstable/async';

const root = join(import.meta.dir, '../..');

export type Kind = 'text' | 'number' | 'boolean' | 'date' | 'object' | 'error' | 'unknown';

export interface LoggedField {
  readonly name: string;
  /** Of lists what is in them; null and undefined are nothing. */
  readonly kind: Kind;
  /** `src/log/drain.ts:145` */
  readonly at: string;
}

export interface LoggedFields {
  /** How many calls of a logger there are. */
  readonly calls: number;
  readonly fields: readonly LoggedField[];
}

/** Takes some seconds: the whole program is read. */
export async function loggedFields(): Promise<LoggedFields> {
  const api = new API({ cwd: root });
  try {
    const snapshot = await api.updateSnapshot({ openProject: join(root, 'tsconfig.json') });
    const { program, checker } = snapshot.getProjects()[0]!;
    const found: { readonly call: CallExpression; readonly at: string }[] = [];
    for (const path of await program.getSourceFileNames()) {
      if (!path.startsWith(join(root, 'src/'))) continue;
      const file = (await program.getSourceFile(path))!;
      const visit = (node: Node): void => {
        if (isCallExpression(node) && isLogging(node)) found.push({ call: node, at: placeOf(node, path, file.text) });
        node.forEachChild(visit);
      };
      file.forEachChild(visit);
    }
    const fields: LoggedField[] = [];
    for (const { call, at } of found) {
      const argument = call.arguments[isComplaining(call.expression) ? 1 : 0];
      const type = argument && (await checker.getTypeAtLocation(argument));
      if (type) for (const [name, kind] of await fieldsOf(type, checker)) fields.push({ name, kind, at });
    }
    return { calls: found.length, fields };
  } finally {
    await api.close();
  }
}

/** Nothing else of ours has methods of these names. */
const levels = new Set(['debug', 'info', 'warn', 'error', 'fatal']);

const isLogging = ({ expression }: CallExpression): boolean =>
  (isPropertyAccessExpression(expression) && levels.has(expression.name.text)) ||
  (isElementAccessExpression(expression) && /\b(log|logger)$/.test(expression.expression.getText())) ||
  isComplaining(expression);

/** What the thread of the disk buffer has to say: words first, then fields. `log` passes it on (buffer.ts). */
const isComplaining = (expression: Node): boolean => /\bcomplain$/.test(expression.getText());

const placeOf = (node: Node, path: string, text: string): string =>
  `${path.slice(root.length + 1)}:${text.slice(0, node.getStart()).split('\n').length}`;

async function fieldsOf(type: Type, checker: Checker): Promise<readonly (readonly [string, Kind])[]> {
  const parts = type.isUnionType() ? await type.getTypes() : [type];
  const fields: (readonly [string, Kind])[] = [];
  for (const part of parts) {
    if (part.flags & (TypeFlags.StringLike | TypeFlags.Undefined)) continue;
    if (part.flags & TypeFlags.Any) fields.push(['*', 'unknown']);
    for (const property of await checker.getPropertiesOfType(part)) {
      const of = await checker.getTypeOfSymbol(property);
      fields.push([property.name, property.name === 'err' ? 'error' : of ? await kindOf(of, checker) : 'unknown']);
    }
    for (const _ of await checker.getIndexInfosOfType(part)) fields.push(['*', 'unknown']);
  }
  return fields;
}

async function kindOf(type: Type, checker: Checker): Promise<Kind> {
  const bare = (await checker.getNonNullableType(type)) ?? type;
  const kinds = new Set<Kind>();
  for (const part of bare.isUnionType() ? await bare.getTypes() : [bare]) kinds.add(await kindOfOne(part, checker));
  return kinds.size === 1 ? [...kinds][0]! : 'unknown';
}

async function kindOfOne(type: Type, checker: Checker): Promise<Kind> {
  if (type.flags & TypeFlags.StringLike) return 'text';
  if (type.flags & TypeFlags.NumberLike) return 'number';
  if (type.flags & TypeFlags.BooleanLike) return 'boolean';
  if (await checker.isArrayLikeType(type)) {
    const [item] = await checker.getTypeArguments(type as never);
    return item ? kindOf(item, checker) : 'unknown';
  }
  if (!(type.flags & TypeFlags.Object)) return 'unknown';
  return (await checker.typeToString(type)) === 'Date' ? 'date' : 'object';
}
