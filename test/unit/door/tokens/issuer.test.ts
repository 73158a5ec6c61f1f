// How an issuer is asked for its keys, and what of its answers is refused. The issuer is a real server on loopback.

import { afterEach, describe, expect, test } from 'bun:test';
import { askForKeys, discoveryUrls } from '../../../../src/door/tokens/issuer.ts';

type Answer = (request: Request) => Response | Promise<Response>;

const servers: { stop(force: boolean): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

function serve(answers: Readonly<Record<string, Answer>>): string {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: request => answers[new URL(request.url).pathname]?.(request) ?? new Response('no', { status: 404 }),
  });
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

const signal = () => AbortSignal.timeout(60_000);
const set = { keys: [{ kty: 'EC' }] };
const answering =
  (value: unknown): Answer =>
  () =>
    Response.json(value);
const sendingOn =
  (to: string, status = 302): Answer =>
  () =>
    new Response(null, { status, headers: { location: to } });
const at = (url: string) => askForKeys({ issuer: '', jwksUrl: `${url}/keys` }, signal());

describe('discovery', () => {
  test.each([
    [
      'https://issuer.example',
      'https://issuer.example/.well-known/openid-configuration',
      'https://issuer.example/.well-known/oauth-authorization-server',
    ],
    [
      'https://issuer.example/',
      'https://issuer.example/.well-known/openid-configuration',
      'https://issuer.example/.well-known/oauth-authorization-server',
    ],
    [
      'https://issuer.example:8443/realms/shop',
      'https://issuer.example:8443/realms/shop/.well-known/openid-configuration',
      'https://issuer.example:8443/.well-known/oauth-authorization-server/realms/shop',
    ],
  ])('of %s asks there', (issuer, openid, oauth) => {
    expect(discoveryUrls(issuer)).toEqual([openid, oauth]);
  });

  test.each(['/realms/shop/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/realms/shop'])(
    'goes by %s',
    async path => {
      const url: string = serve({
        [path]: () => Response.json({ issuer: `${url}/realms/shop`, jwks_uri: `${url}/keys` }),
        '/keys': answering(set),
      });
      expect(await askForKeys({ issuer: `${url}/realms/shop`, jwksUrl: '' }, signal())).toEqual(set);
    },
  );

  test.each<[string, (url: string) => unknown, string]>([
    ['of another issuer', url => ({ issuer: `${url}/`, jwks_uri: `${url}/keys` }), 'the issuer calls itself'],
    ['of none', url => ({ jwks_uri: `${url}/keys` }), 'the issuer calls itself missing'],
    ['without an address', url => ({ issuer: url }), 'jwks_uri is missing'],
    ['with an unsafe address', url => ({ issuer: url, jwks_uri: 'http://keys.example/' }), 'must begin with https:'],
    ['with an address that is none', url => ({ issuer: url, jwks_uri: 'keys' }), 'must begin with https:'],
    ['with a file for an address', url => ({ issuer: url, jwks_uri: 'file:///etc/passwd' }), 'must begin with https:'],
    ['that is null', () => null, 'the issuer calls itself missing'],
  ])('refuses a document %s', async (_, document, words) => {
    const url: string = serve({ '/.well-known/openid-configuration': () => Response.json(document(url)) });
    expect(askForKeys({ issuer: url, jwksUrl: '' }, signal())).rejects.toThrow(words);
  });

  test('says what both places answered', async () => {
    const url = serve({ '/.well-known/openid-configuration': () => new Response('', { status: 500 }) });
    expect(askForKeys({ issuer: url, jwksUrl: '' }, signal())).rejects.toThrow(
      /openid-configuration answered 500; .*oauth-authorization-server answered 404/,
    );
  });
});

describe('a key set', () => {
  test('is asked for as JSON, and taken in pieces and compressed', async () => {
    let accepted: string | null = null;
    const url = serve({
      '/keys': request => {
        accepted = request.headers.get('accept');
        return new Response(Bun.gzipSync(JSON.stringify(set)), { headers: { 'content-encoding': 'gzip' } });
      },
    });
    expect(await at(url)).toEqual(set);
    expect(String(accepted)).toBe('application/json');
  });

  test('may be sent on for within its own server', async () => {
    const url = serve({ '/keys': sendingOn('/a'), '/a': sendingOn('b', 308), '/b': answering(set) });
    expect(await at(url)).toEqual(set);
  });

  test('is asked for at no other server', async () => {
    let isAsked = false;
    const other = serve({
      '/keys': () => {
        isAsked = true;
        return Response.json(set);
      },
    });
    for (const to of [`${other}/keys`, 'file:///etc/passwd', '//else.example/keys', 'http://[']) {
      const url = serve({ '/keys': sendingOn(to) });
      await expect(at(url)).rejects.toThrow('sends on to another server');
    }
    expect(isAsked).toBe(false);
  });

  test.each<[string, Answer, string]>([
    ['that is a page', () => new Response('<html>'), 'something else than JSON'],
    ['that is empty', () => new Response(''), 'something else than JSON'],
    ['that is not there', () => new Response('{}', { status: 404 }), 'answered 404'],
    ['that has not changed', () => new Response(null, { status: 304 }), 'answered 304'],
    ['that is sent on for nowhere', () => new Response(null, { status: 302 }), 'answered 302'],
    ['that is sent on for for ever', sendingOn('/keys'), 'more than 3 times'],
    ['that is huge', () => new Response('x'.repeat(300_000)), 'larger than 262144 bytes'],
    [
      'that is huge once it is unpacked',
      () => new Response(Bun.gzipSync('x'.repeat(50_000_000)), { headers: { 'content-encoding': 'gzip' } }),
      'larger than 262144 bytes',
    ],
    [
      'that does not end',
      () =>
        new Response(
          new ReadableStream({
            pull: async controller => controller.enqueue(new TextEncoder().encode('x'.repeat(65_536))),
          }),
        ),
      'larger than 262144 bytes',
    ],
  ])('%s is refused, with its address', async (_, answer, words) => {
    const url = serve({ '/keys': answer });
    const refusal = await at(url).then(String, (error: Error) => error.message);
    expect(refusal).toContain(words);
    expect(refusal).toContain(`${url}/keys`);
  });

  test('that never comes ends with its time', async () => {
    const url = serve({ '/keys': () => new Promise<Response>(() => {}) });
    const late = askForKeys({ issuer: '', jwksUrl: `${url}/keys` }, AbortSignal.timeout(50));
    expect(late).rejects.toThrow(`${url}/keys: `);
  });

  test('of a server that is not there is refused', async () => {
    const url = serve({});
    await servers.pop()!.stop(true);
    expect(at(url)).rejects.toThrow(`${url}/keys: `);
  });
});
