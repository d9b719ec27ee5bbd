"""`python -m onefold`."""

from onefold.cli.app import main

main()
