/** The W3C form and nothing else: the header is a stranger’s text and stands in a tab-separated line of the prediction log. */
export function traceparentOf(header: unknown): string | undefined {
  return typeof header === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) ? header : undefined;
}
