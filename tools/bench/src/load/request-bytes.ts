/** A request as it goes over the wire, keep-alive. */
export interface RequestShape {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array | string;
}

export function requestBytes({ method = 'POST', path, headers = {}, body = '' }: RequestShape): Uint8Array {
  const content = typeof body === 'string' ? Buffer.from(body) : body;
  const lines = Object.entries({ host: '127.0.0.1', 'content-length': content.length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), content]);
}
