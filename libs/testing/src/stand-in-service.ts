import { createServer, type Server } from 'node:http';

/** Stands in for a service that a command asks: answers paths with JSON, and everything else with 404. */
export class StandInService {
  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  /** @param answer undefined: nothing is there. */
  static async start(answer: (path: string) => unknown): Promise<StandInService> {
    const server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '');
      Promise.resolve(answer(path)).then(
        (found: unknown) => {
          response.statusCode = found === undefined ? 404 : 200;
          response.end(JSON.stringify(found ?? { code: 'OBJECT_MISSING', error: `nothing at ${path}` }));
        },
        (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
      );
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new StandInService(server, `http://127.0.0.1:${address.port}`);
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => void this.server.close(() => resolve()));
  }
}
