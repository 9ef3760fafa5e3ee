/** Injection token: the runtime that the gateways answer with. */
export const RUNTIME = Symbol('model runtime');
