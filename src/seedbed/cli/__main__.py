"""`python -m seedbed.cli`."""

from seedbed.cli.main import main

main()
