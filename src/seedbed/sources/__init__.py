"""Real data in: readers, grouping, the split, and the eval set behind a process of its own."""
