// Settings: the disk buffer.

import { bytes } from './kinds.ts';

export const bufferSettings = {
  bufferBytesMax: bytes({
    default: '4GiB',
    min: '1MiB',
    max: '16TiB',
    help: 'Most bytes the disk buffer may hold; beyond: 503, never a drop',
  }),
  bufferDiskReserveBytes: bytes({
    default: '512MiB',
    min: '0',
    max: '16TiB',
    help: 'The buffer never takes the last this many bytes of its volume',
  }),
};
