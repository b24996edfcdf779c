"""`python -m hourglass` is the command `hourglass`."""

import sys

from hourglass.cli import main

if __name__ == "__main__":
    sys.exit(main())
