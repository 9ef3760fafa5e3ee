/** The requests in turn, from the first again after the last. @throws Error when there are none. */
export function inTurn(requests: readonly Uint8Array[]): () => Uint8Array {
  const [first] = requests;
  if (first === undefined) throw new Error('a load needs at least one request');
  let next = -1;
  return () => {
    next = next + 1 === requests.length ? 0 : next + 1;
    return requests[next] ?? first;
  };
}
