"""The command line: one file a command group. Data goes to stdout and everything else to stderr."""
