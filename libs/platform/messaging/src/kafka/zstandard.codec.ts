import { constants, zstdCompress, zstdCompressSync, zstdDecompress } from 'node:zlib';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** Our batches shrink to less than a quarter: the result is one piece of memory. */
const minChunk = 1_024;
const fastest = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/**
 * Batches travel and rest as Zstandard: our events repeat their member names, so a batch of predictions shrinks to a fifth,
 * and compressing costs less than sending what it saves. The work is done off the event loop, unless `here`.
 */
export function useZstandard(here = false): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: { readonly buffer: Buffer }) => (here ? Promise.resolve(zstdCompressSync(buffer, { ...fastest, chunkSize: Math.max(minChunk, buffer.length >> 2) })) : compress(buffer, fastest)),
    decompress: (buffer: Buffer) => decompress(buffer),
  });
}

/** Below it, a batch is sent as it is. Bytes. */
const compressBytesMin = 4_096;

export const compressionOf = (bytes: number): number => (bytes < compressBytesMin ? kafkajs.CompressionTypes.None : kafkajs.CompressionTypes.ZSTD);
