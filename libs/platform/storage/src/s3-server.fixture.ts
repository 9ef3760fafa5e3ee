// s3rver speaks S3 over HTTP, but three things that S3 does are missing or broken in it; they are put right here, in
// front of it, so that the conformance suite judges our client against what S3 promises:
// an object appears whole or not at all; `If-None-Match: *` refuses a second writer; listings of more than 1,000 keys
// continue (its page tokens are enciphered with DES, which today's OpenSSL refuses). It does not verify V4 signatures,
// only that the access key is known.
import { jest } from '@jest/globals';
import crypto from 'node:crypto';
import S3rver from 's3rver';

export interface S3Server {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** One request per path at a time. */
function oneByOne(): <T>(path: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (path, work) => {
    const turn = (last.get(path) ?? Promise.resolve()).then(work, work);
    last.set(path, turn);
    return turn;
  };
}

function replaceDes(): void {
  const { createCipheriv, createDecipheriv, createHash } = crypto;
  const widen = (bytes: crypto.CipherKey): Buffer => createHash('md5').update(String(bytes)).digest();
  jest.spyOn(crypto, 'createCipheriv').mockImplementation(((name: string, key: Buffer, iv: Buffer) =>
    name === 'des' ? createCipheriv('aes-128-ctr', widen(key), widen(iv)) : createCipheriv(name, key, iv)) as typeof createCipheriv);
  jest.spyOn(crypto, 'createDecipheriv').mockImplementation(((name: string, key: Buffer, iv: Buffer) =>
    name === 'des' ? createDecipheriv('aes-128-ctr', widen(key), widen(iv)) : createDecipheriv(name, key, iv)) as typeof createDecipheriv);
}

export async function startS3Server(directory: string, bucket: string): Promise<S3Server> {
  replaceDes();
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: bucket }] });
  const exclusively = oneByOne();
  server.middleware.unshift((request, next) => exclusively(request.path, async () => {
    const key = decodeURIComponent(request.path).slice(bucket.length + 2);
    if (request.method === 'PUT' && request.get('if-none-match') === '*' && (await server.store.existsObject(bucket, key))) {
      request.status = 412;
      request.type = 'application/xml';
      request.body = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>PreconditionFailed</Code><Message>The object exists</Message></Error>';
      return;
    }
    await next();
  }));
  const { port } = await server.run();
  return { endpoint: `http://127.0.0.1:${port}`, close: () => server.close() };
}
