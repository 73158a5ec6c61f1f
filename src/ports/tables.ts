// What tables are made of: the definitions of the catalogue, for those who store rows.

export type { AggregateDefinition, Column, TableDefinition } from '../../schemas/columns.ts';
export { columnsByPlace } from '../../schemas/columns.ts';
export { storableMsMax } from '../../schemas/time.ts';
