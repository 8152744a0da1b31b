"""The benchmarks: what the figures in docs and decisions rest on, from a checkout."""
