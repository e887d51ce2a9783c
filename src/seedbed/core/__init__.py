"""The nouns of Seedbed and the protocols between its rooms. Nothing here does I/O."""
