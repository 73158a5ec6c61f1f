import { describe, expect, test } from 'bun:test';
import { admitsOrigin, parseOrigin } from '../../../src/process/origin.ts';

describe('an origin', () => {
  test.each([
    ['https://shop.example', 'https://shop.example'],
    ['HTTPS://Shop.Example:443/', 'https://shop.example'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['https://*.shop.example', 'https://*.shop.example'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['*', '*'],
  ])('%s is spelled as a browser does: %s', (text, spelled) => {
    expect(parseOrigin(text)).toBe(spelled);
  });

  test.each(['', 'shop.example', 'ftp://shop.example', 'https://', 'https://a/b', 'https://a*.example', 'null', '**'])(
    '%s is none',
    text => {
      expect(() => parseOrigin(text)).toThrow('must be like');
    },
  );
});

describe('of origins that may', () => {
  test.each([
    ['https://shop.example', 'https://shop.example', true],
    ['https://shop.example', 'http://shop.example', false],
    ['https://shop.example', 'https://shop.example:8443', false],
    ['https://shop.example', 'https://shop.example.evil.example', false],
    ['https://*.shop.example', 'https://a.shop.example', true],
    ['https://*.shop.example', 'https://a.b.shop.example', true],
    ['https://*.shop.example', 'https://shop.example', false],
    ['https://*.shop.example', 'https://evilshop.example', false],
    ['https://*.shop.example', 'https://.shop.example', false],
    ['https://*.shop.example', 'http://a.shop.example', false],
    ['*', 'null', true],
    ['https://shop.example', 'null', false],
  ])('%s, %s: %p', (allowed, origin, may) => {
    expect(admitsOrigin([allowed], origin)).toBe(may);
  });
});
