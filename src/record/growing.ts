// Arrays that grow as they are filled, of bytes and of numbers. No bounds are checked twice: who writes asks for room first.

export interface Bytes {
  bytes: Uint8Array;
  length: number;
}

export const bytesOf = (capacity: number): Bytes => ({ bytes: new Uint8Array(capacity), length: 0 });

/** Room for so many bytes more; where they go begins at `length`. */
export function room(target: Bytes, more: number): Uint8Array {
  const needed = target.length + more;
  if (needed > target.bytes.length) {
    const larger = new Uint8Array(Math.max(needed, target.bytes.length * 2));
    larger.set(target.bytes.subarray(0, target.length));
    target.bytes = larger;
  }
  return target.bytes;
}

export interface Numbers {
  numbers: Int32Array;
  length: number;
}

export const numbersOf = (capacity: number): Numbers => ({ numbers: new Int32Array(capacity), length: 0 });

export function push(target: Numbers, number: number): void {
  if (target.length === target.numbers.length) {
    const larger = new Int32Array(target.length * 2);
    larger.set(target.numbers);
    target.numbers = larger;
  }
  target.numbers[target.length++] = number;
}
