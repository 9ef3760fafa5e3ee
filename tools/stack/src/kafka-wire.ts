import { connect } from 'node:net';

/**
 * Just enough of Kafka's protocol to know that a broker really answers; clients belong to @millrace/messaging.
 * Request: size int32, api_key int16, api_version int16, correlation_id int32, client_id string, body. Response: size, correlation_id, body.
 * Grammar: the Kafka protocol guide, messages Metadata v1 and FindCoordinator v1.
 */
const metadataKey = 3;
const findCoordinatorKey = 10;
const clientId = 'millrace-stack';

export type CoordinatorKind = 'group' | 'transaction';

function string16(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function encodeRequest(apiKey: number, apiVersion: number, correlationId: number, body: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeInt16BE(apiKey, 0);
  header.writeInt16BE(apiVersion, 2);
  header.writeInt32BE(correlationId, 4);
  const content = Buffer.concat([header, string16(clientId), body]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(content.length);
  return Buffer.concat([size, content]);
}

/** Sends one request on its own connection; resolves to the response's body. */
async function ask(port: number, request: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = Buffer.alloc(0);
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error('the broker does not answer')));
    socket.on('error', fail);
    socket.on('close', () => reject(new Error('the broker closed the connection')));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      resolve(received.subarray(8, 4 + received.readInt32BE(0)));
      socket.destroy();
    });
  });
}

/** How many brokers the cluster counts. Metadata v1, asked for no topic. Body: brokers => count int32, … */
export async function brokerCount(port: number, timeoutMs = 2_000): Promise<number> {
  const noTopics = Buffer.alloc(4);
  const body = await ask(port, encodeRequest(metadataKey, 1, 1, noTopics), timeoutMs);
  return body.readInt32BE(0);
}

/**
 * Whether a coordinator is there; asking makes the broker create its internal topic, so that no client meets
 * COORDINATOR_NOT_AVAILABLE later. FindCoordinator v1. Body: throttle_time_ms int32, error_code int16, …
 */
export async function coordinatorIsReady(port: number, kind: CoordinatorKind, timeoutMs = 2_000): Promise<boolean> {
  const request = Buffer.concat([string16('millrace-readiness'), Buffer.from([kind === 'group' ? 0 : 1])]);
  const body = await ask(port, encodeRequest(findCoordinatorKey, 1, 1, request), timeoutMs);
  return body.readInt16BE(4) === 0;
}
