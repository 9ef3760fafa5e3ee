/** What the data plane says to operators; a `ServiceLog` in the ring, lines on standard error when it runs alone. */
export interface Log {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
