"""Sandboxes for programs that models wrote: what they may do is compute."""
