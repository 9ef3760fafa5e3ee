import { Connection } from './connection.js';
import type { LoadJob, LoadResult } from './job.js';
import { inTurn } from './request-turns.js';
import { Tally } from './tally.js';

/** Every connection sends its next request as soon as it has an answer: finds out how much a server can do. */
export function runClosedLoop(job: LoadJob): Promise<LoadResult> {
  const tally = new Tally(job);
  const next = inTurn(job.requests);
  let over = false;
  return new Promise((resolve) => {
    const send = (connection: Connection): void => {
      if (!over) connection.send(next(), performance.now());
    };
    const open = (): Connection =>
      new Connection(
        job,
        send,
        (connection, status, head, body) => {
          if (tally.counting) tally.answer(status, head, body, performance.now() - connection.dueMs);
          send(connection);
        },
        (connection, reason) => {
          if (over) return;
          if (tally.counting) tally.lose(reason);
          // A server that refuses connections must not be dialled thousands of times a second.
          setTimeout(() => over || (connections[connections.indexOf(connection)] = open()), 20);
        },
      );
    const connections: Connection[] = Array.from({ length: job.connections }, open);
    setTimeout(() => tally.open(), job.warmUpMs);
    setTimeout(() => {
      tally.close();
      over = true;
      for (const connection of connections) connection.close();
      resolve(tally.result());
    }, job.warmUpMs + job.windowMs);
  });
}
