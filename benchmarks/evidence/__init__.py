"""Demonstrations on public data, driven through the command line as a user would.

`python -m benchmarks.evidence [ID …]` runs them. Each is one file that measures; what must be true
of its figures stands apart, in `expected.toml`, and each has a way to break the part under proof.
"""
