"""The list of mutants fits the code that it breaks, and the tests that it names."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("mutate", ROOT / "tools" / "mutate.py")
mutate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutate)
MUTANTS = mutate.mutants()


@pytest.mark.parametrize("file", sorted({m.file for m in MUTANTS}))
def test_each_piece_of_text_occurs_once_and_changes(file):
    source = (ROOT / file).read_text(encoding="utf-8")
    for mutant in MUTANTS:
        if mutant.file == file:
            changed = mutant.apply(source)
            if file.endswith(".py"):
                compile(changed, file, "exec")


def test_mutants_differ():
    changes = [(m.file, m.old, m.new) for m in MUTANTS]
    assert len(set(changes)) == len(changes) >= 100
    assert sum(m.quick for m in MUTANTS) >= 30


def test_the_tests_exist():
    for mutant in MUTANTS:
        paths = shlex.split(mutant.tests.partition(" -k ")[0])
        assert paths, mutant
        code = ""
        for path in paths:
            file, _, name = path.partition("::")
            code += (ROOT / file).read_text(encoding="utf-8")
            assert f"def {name.partition('[')[0]}(" in code or not name, mutant
        names = " ".join(re.findall(r"def (test_\w+)", code))
        chosen = mutant.tests.partition(" -k ")[2]
        # Words of -k that look like parts of names; others choose parameters.
        for word in re.findall(r"[a-z]+(?:_[a-z]+)+", chosen):
            assert word in names or word in code, f"{mutant}: {word}"


@pytest.mark.parametrize(
    ("code", "output", "result"),
    [
        (0, "3 passed in 1.00s", "SURVIVED"),
        (1, "FAILED tests/test_a.py::test_b - assert 1 == 2\n1 failed", "killed"),
        (1, "E   numba.core.errors.TypingError: no\nFAILED tests/a.py", "INVALID"),
        (1, "E   Failed: DID NOT RAISE TypingError\nFAILED tests/a.py", "killed"),
        (2, "ERROR tests/test_a.py\nInterrupted: 1 error", "INVALID"),
        (4, "ERROR: file or directory not found", "INVALID"),
        (5, "no tests ran", "INVALID"),
        (-11, "", "INVALID"),
    ],
)
def test_only_failing_tests_kill(code, output, result):
    assert mutate.verdict(code, output)[0] == result


def test_a_mutant_has_to_change_one_place():
    mutant = mutate.Mutant("a.py", "x + y", "x - y", "tests")
    assert mutant.apply("z = x + y") == "z = x - y"
    for bad in (mutant, mutant._replace(new="x + y")):
        with pytest.raises(ValueError, match="once"):
            bad.apply("x + y, x + y" if bad is mutant else "x + y")
