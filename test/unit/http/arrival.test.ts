import { describe, expect, test } from 'bun:test';
import { arrivalOf } from '../../../src/http/arrival.ts';
import { soon, until } from '../../support/until.ts';

/** A request whose body comes as the test says. */
function arriving(headers: Record<string, string> = {}) {
  let wasCancelled = false;
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start: given => {
      controller = given;
    },
    cancel: () => {
      wasCancelled = true;
    },
  });
  const request = new Request('http://test/', { method: 'POST', body, headers });
  return {
    arrival: arrivalOf(request),
    send: (text: string) => controller.enqueue(Buffer.from(text)),
    end: () => controller.close(),
    wasCancelled: () => wasCancelled,
  };
}

describe('a body', () => {
  test('comes piece by piece, and is over after the last', async () => {
    const { arrival, send, end } = arriving();
    send('a');
    expect(Buffer.from((await arrival.next())!).toString()).toBe('a');
    expect(arrival.isOver()).toBe(false);
    end();
    expect(await arrival.next()).toBeNull();
    expect(arrival.isOver()).toBe(true);
    expect(await arrival.next()).toBeNull();
  });

  test('that is not there is over from the start', () => {
    expect(arrivalOf(new Request('http://test/')).isOver()).toBe(true);
  });

  test('that nobody wants is read to its end', async () => {
    const { arrival, send, end, wasCancelled } = arriving();
    let isDone = false;
    const discarding = arrival.discard().then(() => {
      isDone = true;
    });
    for (let piece = 0; piece < 5; piece++) send('x'.repeat(100_000));
    await Bun.sleep(0);
    expect(isDone).toBe(false);
    end();
    await soon(discarding, 'the rest to be thrown away');
    expect([arrival.isOver(), wasCancelled()]).toEqual([true, false]);
  });

  test('that nobody wants any more is read on from where its reader gave up, the piece it waited for too', async () => {
    const { arrival, send, end } = arriving();
    const given = arrival.next();
    const discarding = arrival.discard();
    send('late');
    end();
    expect(Buffer.from((await given)!).toString()).toBe('late');
    await soon(discarding, 'the rest to be thrown away');
    expect(arrival.isOver()).toBe(true);
  });

  test('that nobody wants and that does not go on is let go of', async () => {
    const { arrival, wasCancelled } = arriving();
    await soon(arrival.discard(), 'it to be let go of');
    expect(arrival.isOver()).toBe(false);
    await until(wasCancelled, 'it is cancelled');
  });

  test('that nobody wants and that never ends is let go of', async () => {
    let given = 0;
    const piece = new Uint8Array(16 * 1024 * 1024);
    const body = new ReadableStream<Uint8Array>({
      pull: controller => {
        given += piece.length;
        controller.enqueue(piece);
      },
    });
    const arrival = arrivalOf(new Request('http://test/', { method: 'POST', body }));
    await soon(arrival.discard(), 'it to be let go of');
    expect(arrival.isOver()).toBe(false);
    expect(given).toBeWithin(256 * 1024 * 1024, 400 * 1024 * 1024);
  });

  test('that breaks while it is thrown away is over, and nobody is told', async () => {
    const body = new ReadableStream<Uint8Array>({ pull: controller => controller.error(new Error('reset')) });
    const arrival = arrivalOf(new Request('http://test/', { method: 'POST', body }));
    await arrival.discard();
    expect(arrival.isOver()).toBe(true);
  });
});

test('a body that was let go is not waited for again', async () => {
  const { arrival, send } = arriving();
  send('a');
  await arrival.discard(); // nothing more comes: it is let go of
  const again = arrival.discard().then(() => 'at once');
  const { promise: turn, resolve } = Promise.withResolvers<string>();
  setImmediate(resolve, 'after a while');
  expect(await Promise.race([again, turn])).toBe('at once');
  expect(arrival.isOver()).toBe(false);
});
