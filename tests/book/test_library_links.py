"""The tables behind the links between functions and chapters, from build to build."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

PATH = Path(__file__).resolve().parents[2] / "book" / "_ext" / "library_links.py"
SPEC = importlib.util.spec_from_file_location("library_links", PATH)
library_links = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(library_links)

FIRST, SECOND = "notebooks/01_formula", "notebooks/03_sigmoid"
USES = {FIRST: {"softmax_lib.softmax"}, SECOND: {"softmax_lib.sigmoid"}}
PAGES = {"softmax_lib.softmax": FIRST, "softmax_lib.sigmoid": SECOND}


@pytest.fixture
def env():
    """Return an environment after a first build."""
    env = SimpleNamespace()
    library_links.begin(None, env, [])
    assert (env.function_uses, env.function_pages) == ({}, {})
    env.function_uses.update(USES)
    env.function_pages.update(PAGES)
    return env


def test_a_second_build_keeps_pages_that_it_does_not_read(env):
    library_links.begin(None, env, [SECOND])
    assert (env.function_uses, env.function_pages) == (USES, PAGES)


def test_a_chapter_that_is_gone_is_forgotten(env):
    library_links.purge(None, env, SECOND)
    assert env.function_uses == {FIRST: USES[FIRST]}
    assert env.function_pages == PAGES


def test_the_tables_of_the_library_page_are_forgotten_with_it(env):
    library_links.purge(None, env, library_links.PAGE)
    assert env.function_uses == USES
    assert env.function_pages == {}


def test_pages_that_name_each_other_are_written_again(env):
    assert library_links.renew(None, env) == [library_links.PAGE, FIRST, SECOND]


def test_a_page_without_functions_may_be_purged(env):
    library_links.purge(None, env, "book/preface")
    assert (env.function_uses, env.function_pages) == (USES, PAGES)
