"""Write the installed versions into constraints.txt."""

import re
import subprocess
import sys
from pathlib import Path

HEADER = """\
# The versions that the book is built and tested with; `make constraints` writes this
# file. To be installable on Python 3.11 to 3.14 it has to be written by the oldest of
# them, and an early 3.11 at that: some packages refuse 3.11.4 and older.
"""


def main():
    frozen = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--exclude-editable"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    pins = [line for line in frozen.splitlines() if re.match(r"[\w.-]+==", line)]
    Path("constraints.txt").write_text(HEADER + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
