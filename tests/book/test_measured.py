"""The results of `make bench`: a file for each kind of processor, and all are shown."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import kinds

ROOT = Path(__file__).resolve().parents[2]
HELPER = ROOT / "notebooks" / "helpers" / "measured.py"
RESULTS = ROOT / "benchmarks" / "results"
TABLES = (
    lambda measured: measured.times_by_size(),
    lambda measured: measured.new_pages(),
    lambda measured: measured.relative_times("softmax"),
    lambda measured: measured.cases_slower("softmax"),
    lambda measured: measured.in_copies("softmax", 1e6),
    lambda measured: measured.first_calls(),
)


@pytest.fixture
def measured():
    spec = importlib.util.spec_from_file_location("measured", HELPER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def three_kinds(measured, monkeypatch, tmp_path):
    """Return the helper beside a file for every kind, with the same numbers."""
    stored = next(RESULTS.glob("*.json")).read_text()
    for kind in kinds.KINDS:
        (tmp_path / f"{kind}.json").write_text(stored)
    monkeypatch.setattr(measured, "PLACES", (tmp_path,))
    return measured


def test_the_book_and_the_benchmark_have_the_same_kinds(measured):
    assert tuple(measured.KINDS) == kinds.KINDS
    assert {path.stem for path in RESULTS.glob("*.json")} <= set(kinds.KINDS)
    assert len(measured.results()) == len(list(RESULTS.glob("*.json"))) > 0


@pytest.mark.parametrize(
    ("cpu", "features", "kind"),
    [
        ("skylake-avx512", "+avx512f,+avx2,+fma", "avx512"),
        ("haswell", "+avx2,+fma", "avx2"),
        ("x86-64", "", "128bit"),
    ],
)
def test_the_kind_is_what_numba_compiles_for(cpu, features, kind, monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_NAME", cpu)
    monkeypatch.setenv("NUMBA_CPU_FEATURES", features)
    code = "from benchmarks.kinds import kind, imitated; print(kind(), imitated())"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert process.stdout.split()[:2] == [kind, cpu], process.stderr


@pytest.mark.parametrize("table", TABLES)
def test_a_new_file_adds_its_rows_to_every_table(measured, three_kinds, table):
    columns = table(three_kinds)
    found = columns["vectors"]
    assert list(dict.fromkeys(found)) == list(measured.KINDS.values())
    assert len({len(column) for column in columns.values()}) == 1
    assert len({found.count(kind) for kind in found}) == 1


def test_every_lost_case_is_named_once(three_kinds):
    lost = three_kinds.lost_cases("softmax")
    counted = sum(three_kinds.cases_slower("softmax")["others faster"])
    assert len(set(zip(*lost.values(), strict=True))) == counted
    assert all(time > 1 for time in lost["library's time"])


def test_the_machines_are_described_side_by_side(three_kinds):
    columns = three_kinds.machines()
    assert list(columns) == ["property", *three_kinds.KINDS.values()]


def test_the_sentence_in_the_readme_holds_for_every_kind_that_was_measured(measured):
    """On one thread the library is faster in most cases, and within two ULP in all."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sentence = re.search(r"- \*\*Accuracy need not cost time.*?\n- ", text, re.DOTALL)[
        0
    ]
    named = [kind for kind in measured.KINDS.values() if kind in sentence]
    assert named == list(measured.results())
    for found in measured.results().values():
        one = [case for case in found["speed"] if case["threads"] == 1]
        assert sum(map(measured.is_slower, one)) < len(one) / 2
        assert all(line["softmax_lib"] <= 2 for *_, line in found["accuracy"])
