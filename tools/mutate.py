"""Break the code in small ways, one at a time, and ask that the tests notice.

`mutants.toml` lists the mutants: a file, a piece of it, what replaces that, and tests
that have to fail then. Each mutant is made in a copy of the tracked files.

Tools for mutation do not fit this library. mutmut skips functions with decorators,
which here are nearly all, and forks the process, which compiled threads do not survive.
cosmic-ray runs the same tests for every mutant; here each of them has to be compiled,
which takes a second for a formula and a minute for a loop.
"""

import argparse
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_name("mutants.toml")
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
NOTEBOOK = ["--override-ini", "addopts=", "--nbval", "--nbval-current-env"]
LIMIT = 900  # seconds

KILLED, SURVIVED, INVALID = "killed", "SURVIVED", "INVALID"


class Mutant(NamedTuple):
    """A change of a file, and the arguments of pytest that have to notice it."""

    file: str
    old: str
    new: str
    tests: str
    quick: bool = False  # noticed in seconds, so that `make test` may try it

    def __str__(self):
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.file}: {old} -> {new}"

    def apply(self, source):
        """Return the source of the file with the change."""
        if source.count(self.old) != 1 or self.old == self.new:
            raise ValueError(f"{self}: the old text has to occur once, and change")
        return source.replace(self.old, self.new)


def mutants():
    """Return all mutants in the order of the list."""
    files = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return [Mutant(file, **change) for file, found in files.items() for change in found]


def verdict(code, output):
    """Return what the exit status and the output of pytest say, and why."""
    failed = re.findall(r"^(?:FAILED|ERROR) (.*)", output, re.MULTILINE)
    why = failed[0] if failed else output.strip().rsplit("\n", 1)[-1]
    if code == 0:
        return SURVIVED, why
    if code != 1:
        return INVALID, f"pytest ended with {code}: {why}"
    # A mutant that Numba refuses shows nothing about the tests.
    if re.search(r"^E +[\w.]*(Typing|Lowering|Unsupported)Error:", output, re.M):
        return INVALID, f"does not compile: {why}"
    return KILLED, why


def attempt(mutant, copy, environment):
    """Run the tests of a mutant in the copy; return the verdict, and why."""
    path = copy / mutant.file
    source = path.read_text(encoding="utf-8")
    path.write_text(mutant.apply(source), encoding="utf-8")
    tests = shlex.split(mutant.tests)
    options = NOTEBOOK if any(t.endswith(".ipynb") for t in tests) else []
    try:
        done = subprocess.run(
            [*PYTEST, *options, *tests],
            cwd=copy,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired:
        return INVALID, f"still running after {LIMIT} seconds"
    finally:
        path.write_text(source, encoding="utf-8")
    return verdict(done.returncode, done.stdout)


def tracked():
    """Return the names of the tracked files; without git those of all source files."""
    command = ["git", "ls-files", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return [Path(name) for name in listed.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        return [name for name in names if name.parts[0][0] not in "._"]


def copy_tracked(place):
    """Copy the tracked files, as they are now, to a folder."""
    for name in tracked():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place / name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", nargs="?", default="", help="text in a mutant")
    parser.add_argument("--quick", action="store_true", help="those of seconds only")
    parser.add_argument("--sample", type=int, metavar="N", help="try N of them")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    given = parser.parse_args()
    chosen = [m for m in mutants() if given.part in str(m)]
    chosen = [m for m in chosen if m.quick or not given.quick]
    if given.sample is not None and given.sample < len(chosen):
        print(f"{given.sample} of {len(chosen)} mutants, seed {given.seed}")
        chosen = random.Random(given.seed).sample(chosen, given.sample)
    counts = dict.fromkeys((KILLED, SURVIVED, INVALID), 0)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        copy_tracked(copy)
        # Code of a mutant is stale for the next one, but that of callers may not be.
        environment = os.environ | {
            "PYTHONPATH": str(copy),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": str(Path(folder, "cache")),
            "COLUMNS": "160",
        }
        for mutant in chosen:
            begin = time.perf_counter()
            result, why = attempt(mutant, copy, environment)
            counts[result] += 1
            print(f"{result:8} {time.perf_counter() - begin:4.0f} s  {mutant}")
            print(f"         {'by' if result == KILLED else mutant.tests}: {why}")
            sys.stdout.flush()
    print(", ".join(f"{count} {name}" for name, count in counts.items()))
    return counts[KILLED] != len(chosen) or not chosen


if __name__ == "__main__":
    sys.exit(main())
