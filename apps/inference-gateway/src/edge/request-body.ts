import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type InputType } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { MillraceError } from '@millrace/contracts';

type Inflate = (body: InputType, options: { maxOutputLength: number }) => Promise<Buffer>;
const codings: Readonly<Record<string, Inflate>> = {
  gzip: promisify(gunzip) as Inflate,
  'x-gzip': promisify(gunzip) as Inflate,
  deflate: promisify(inflate) as Inflate,
  br: promisify(brotliDecompress) as Inflate,
};

const noBytes = Buffer.alloc(0);

/**
 * The bytes of a body as they were before they were compressed.
 * @throws MillraceError REQUEST_INVALID for an unknown coding or broken bytes, REQUEST_TOO_LARGE for what inflates beyond `bytesMax`.
 */
export async function bodyOf(request: FastifyRequest, bytesMax: number): Promise<Buffer> {
  const body = (request.body as Buffer | null | undefined) ?? noBytes;
  const coding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (coding === 'identity') return body;
  const decompress = Object.hasOwn(codings, coding) ? codings[coding] : undefined;
  if (decompress === undefined) throw new MillraceError('REQUEST_INVALID', `content-encoding ${coding} is not supported; send gzip, deflate, br or none`);
  try {
    return await decompress(body, { maxOutputLength: bytesMax });
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') throw new MillraceError('REQUEST_TOO_LARGE', `the body inflates to more than ${bytesMax} bytes`, { cause });
    throw new MillraceError('REQUEST_INVALID', `the body is no ${coding}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

const bareNumber = /[:[,]\s*-?(NaN|Infinity)\b/u;

/** @throws MillraceError REQUEST_INVALID, or FEATURE_NOT_FINITE for the NaN and Infinity that some writers put into JSON. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    const bare = bareNumber.exec(body.toString());
    if (bare === null) throw new MillraceError('REQUEST_INVALID', `the request is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    throw new MillraceError('FEATURE_NOT_FINITE', `the request holds ${bare[1]}, which is no JSON; send null for an unknown value`, { cause });
  }
}
