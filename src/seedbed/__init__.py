"""Seedbed: training data that can be defended."""

__version__ = "0.1.0"
