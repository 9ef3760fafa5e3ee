import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const fastest = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/**
 * Batches travel and rest as Zstandard: our events repeat their member names, so a batch of predictions shrinks to a fifth,
 * and compressing costs less than sending what it saves. The work is done off the event loop.
 */
export function useZstandard(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { readonly buffer: Buffer }) => compress(encoder.buffer, fastest),
    decompress: (buffer: Buffer) => decompress(buffer),
  });
}

/** Below it, a batch is sent as it is. Bytes. */
const compressBytesMin = 4_096;

export const compressionOf = (bytes: number): number => (bytes < compressBytesMin ? kafkajs.CompressionTypes.None : kafkajs.CompressionTypes.ZSTD);
