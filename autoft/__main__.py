"""`python -m autoft` is the command `autoft`."""

from autoft.cli.main import main

if __name__ == "__main__":
    main()
