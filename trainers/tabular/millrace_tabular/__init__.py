"""The stock tabular trainer of Millrace, trainer contract v1."""
