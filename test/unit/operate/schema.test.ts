import { expect, test } from 'bun:test';
import { shown } from '../../../src/operate/schema.ts';
import { binaryOf } from '../../support/versions.ts';

test('show says what each version of a type changed', () => {
  expect(shown(binaryOf(3).type)).toContain(
    'stream event, version 3\nversion 2: `chair`, a text, became `seat`, a number\n' +
      'version 3: `hall` is told; of bookings before it is unknown\n\nfield',
  );
  expect(shown(binaryOf(1).type)).toContain('stream event, version 1\n\nfield');
});
