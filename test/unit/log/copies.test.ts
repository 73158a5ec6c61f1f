import { expect, test } from 'bun:test';
import { copiesOf } from '../../../src/log/copies.ts';

const a = { id: 'a', body: '{"event_id":"a","event_type":"click"}' };
const b = { id: 'b', body: '{"event_id":"b","event_type":"click"}' };

test('an event nobody has copied is unknown', () => {
  const copies = copiesOf();
  expect(copies.isEmpty).toBe(true);
  expect(copies.isAcked(a)).toBe(false);
});

test('an ack is remembered until it is asked for, once', () => {
  const copies = copiesOf();
  copies.expect([a, b]);
  copies.settle(a, true);
  expect(copies.isAcked(a)).toBe(true);
  expect(copies.isAcked(a)).toBe(false);
  expect(copies.isEmpty).toBe(false);
});

test('a failure is forgotten at once: the copy has to be sent', () => {
  const copies = copiesOf();
  copies.expect([a]);
  copies.settle(a, false);
  expect(copies.isAcked(a)).toBe(false);
  expect(copies.isEmpty).toBe(true);
});

test('while the answer is open it is waited for', async () => {
  for (const isAcked of [true, false]) {
    const copies = copiesOf();
    copies.expect([a]);
    const said = copies.isAcked(a);
    expect(said).toBeInstanceOf(Promise);
    copies.settle(a, isAcked);
    expect(await said).toBe(isAcked);
    expect(copies.isEmpty).toBe(true);
  }
});

test('of the same event published twice any ack counts, and a failure waits for the other', async () => {
  const copies = copiesOf();
  copies.expect([a]);
  copies.expect([a]);
  const said = copies.isAcked(a);
  copies.settle(a, false);
  copies.settle(a, true);
  expect(await said).toBe(true);
});

test('the same id under another type is another event', () => {
  const copies = copiesOf();
  copies.expect([a]);
  copies.settle(a, true);
  expect(copies.isAcked({ id: 'a', body: '{"event_id":"a","event_type":"page_view"}' })).toBe(false);
  expect(copies.isAcked(a)).toBe(true);
});

test('the same id and type with another content is another event: the ack of one takes nothing of the other back', () => {
  const copies = copiesOf();
  const other = { id: 'a', body: a.body.replace('}', ',"element":"b"}') };
  copies.expect([other]);
  copies.settle(other, true);
  expect(copies.isAcked(a)).toBe(false); // lay on the disk alone
  expect(copies.isAcked(other)).toBe(true);
});

test('everybody who waits for an answer gets it', async () => {
  const copies = copiesOf();
  copies.expect([a]);
  const said = [copies.isAcked(a), copies.isAcked(a)];
  copies.settle(a, true);
  expect(await Promise.all(said)).toEqual([true, true]);
});

test('beyond its bound the oldest are forgotten, and whoever waits for one is told to send it', async () => {
  const copies = copiesOf(1);
  copies.expect([a]);
  const said = copies.isAcked(a);
  copies.expect([b]);
  expect(await said).toBe(false);
  copies.settle(b, true);
  expect(copies.isAcked(b)).toBe(true);
});
