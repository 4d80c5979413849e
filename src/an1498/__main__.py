"""`python -m an1498`."""

from an1498.cli import main

main()
