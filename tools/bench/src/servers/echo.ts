// The yardstick: what Fastify costs when it parses a JSON body and answers with a constant. One process, nothing else.
import fastify from 'fastify';

const answer = { model_name: 'trees', model_version: '1', id: '1', outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [0.123_456_78] }] };
const server = fastify();
server.post('/echo', () => answer);
server.get('/ready', () => ({ ready: true }));
await server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) });
