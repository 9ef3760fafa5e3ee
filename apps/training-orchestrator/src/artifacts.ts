/** Injection token: the content-addressed store that the registry and the gateways read from. */
export const ARTIFACTS = Symbol('artifacts');
