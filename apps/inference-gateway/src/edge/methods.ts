import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { sendJson } from './answers.js';

type Handler<P> = (request: FastifyRequest<{ Params: P }>, reply: FastifyReply) => void;
type Handlers<P> = Partial<Record<'GET' | 'POST', Handler<P>>>;

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** A place with its handlers; every other method is answered with 405 and what is allowed. HEAD comes with GET. */
export function place<P = Record<string, string>>(scope: FastifyInstance, url: string, handlers: Handlers<P>): void {
  const allowed = [...(handlers.GET === undefined ? [] : ['GET', 'HEAD']), ...(handlers.POST === undefined ? [] : ['POST'])];
  for (const method of ['GET', 'POST'] as const) {
    const handler = handlers[method];
    if (handler !== undefined) scope.route<{ Params: P }>({ method, url, handler: (request, reply) => handler(request, reply) });
  }
  scope.route({
    method: methods.filter((method) => !allowed.includes(method)),
    url,
    handler: (request, reply) => {
      void reply.header('allow', allowed.join(', '));
      sendJson(reply, 405, { error: `${request.method} is not allowed here; ${allowed.join(', ')} ${allowed.length === 1 ? 'is' : 'are'}` });
    },
  });
}
