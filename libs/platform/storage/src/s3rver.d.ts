// The package brings no types; this is the part that the specs use.
declare module 's3rver' {
  interface Request {
    readonly method: string;
    readonly path: string;
    status: number;
    type: string;
    body: string;
    get(header: string): string;
  }
  export default class S3rver {
    constructor(options: {
      address: string;
      port: number;
      silent: boolean;
      directory: string;
      configureBuckets: readonly { name: string }[];
    });
    readonly middleware: ((request: Request, next: () => Promise<void>) => Promise<void>)[];
    readonly store: { existsObject(bucket: string, key: string): Promise<boolean> };
    run(): Promise<{ address: string; port: number }>;
    close(): Promise<void>;
  }
}
