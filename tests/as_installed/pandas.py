"""Stands before the pandas that `datasets` brings to the tests: what they start runs as installed, without.

Arrow imports pandas into every process that makes an array, where it finds it: a third of a second each.
"""

raise ImportError("seedbed is installed without pandas")
