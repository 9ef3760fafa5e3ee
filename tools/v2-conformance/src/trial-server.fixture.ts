import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server may do wrong, for the suite to find. */
export type Defect = 'none' | 'charset' | 'status 500' | 'another error shape' | 'compressed errors' | 'rounded integers' | 'no id' | 'wrong sum' | 'hangs up';

const send = (response: ServerResponse, status: number, body: unknown, type = 'application/json'): void => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
};

const model = { name: 'simple', versions: ['1'], platform: 'trial', inputs: [], outputs: [] };

interface Tensor {
  readonly name: string;
  readonly data: readonly number[];
}

function infer(text: string, defect: Defect): unknown {
  const message = JSON.parse(text) as { readonly id?: string; readonly inputs: readonly Tensor[] };
  const [first, second] = message.inputs;
  if (first === undefined || second === undefined) throw new Error('two inputs are needed');
  const operate = (name: string, sign: number) => ({ name, datatype: 'INT32', shape: [1, 16], data: first.data.flat().map((value, at) => value + sign * (second.data.flat()[at] ?? 0) + (defect === 'wrong sum' ? 1 : 0)) });
  return { model_name: 'simple', model_version: '1', ...(defect === 'no id' ? {} : { id: message.id ?? '' }), outputs: [operate('OUTPUT0', 1), operate('OUTPUT1', -1)] };
}

/** INT64 written as JSON.parse has read it, or as it came. */
function identity(text: string, defect: Defect): string {
  const data = defect === 'rounded integers' ? JSON.stringify((JSON.parse(text) as { inputs: [{ data: unknown }] }).inputs[0].data) : (/"data":(\[[^\]]*\])/u.exec(text)?.[1] ?? '[]');
  return `{"model_name":"identity_int64","id":"","outputs":[{"name":"OUTPUT0","datatype":"INT64","shape":[1,3],"data":${data}}]}`;
}

function answer(request: IncomingMessage, response: ServerResponse, text: string, defect: Defect): void {
  const { url, method } = request;
  if (method === 'GET' && (url === '/v2/health/live' || url === '/v2/health/ready')) return send(response, 200, { live: true, ready: true });
  if (method === 'GET' && url === '/v2') return send(response, 200, { name: 'trial', version: '1', extensions: [] }, defect === 'charset' ? 'application/json; charset=utf-8' : 'application/json');
  if (method === 'GET' && url === '/v2/models/simple') return send(response, 200, model);
  if (defect === 'hangs up' && method === 'POST') return void request.socket.destroy();
  try {
    if (method === 'POST' && url === '/v2/models/simple/infer') return send(response, 200, infer(text, defect));
    if (method === 'POST' && url === '/v2/models/identity_int64/infer') return send(response, 200, identity(text, defect));
    throw new Error('there is no such place');
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    if (defect === 'compressed errors') response.setHeader('content-encoding', 'gzip');
    send(response, defect === 'status 500' ? 500 : 400, defect === 'another error shape' ? { error: sentence, code: 'X' } : { error: sentence });
  }
}

/** A server of a few answers, with one defect. */
export async function startTrialServer(defect: Defect): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => answer(request, response, text, defect));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}
