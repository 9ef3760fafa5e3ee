const words = /[a-zA-Z_:][a-zA-Z0-9_:]*/g;
const families = /^(millrace_|kafka_|nodejs_|process_)/;

/** The metrics that a query reads, without the suffixes of histograms; `up`, which Prometheus makes itself, is left out. */
export function metricNamesOf(expr: string): string[] {
  // Label matchers, grouping labels and text hold no metric names.
  const bare = expr.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}/g, '').replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '');
  const names = [...bare.matchAll(words)].map(([word]) => word).filter((word) => families.test(word));
  return [...new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, '')))];
}
