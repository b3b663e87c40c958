"""`python -m autoft` is the command `autoft`."""

import sys

from autoft.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
