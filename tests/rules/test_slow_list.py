"""The list of the slow tests that `make test-fast` skips names only existing tests."""

from tests.support import slow_list
from tests.support.source_code import ROOT


def test_each_test_that_is_left_out_exists() -> None:
    named = [name.split("::") for name in slow_list.list_slow()]
    gone = [
        f"{path}: {test}"
        for path, test in named
        if not (ROOT / path).exists() or f"def {test}(" not in (ROOT / path).read_text()
    ]
    assert gone == [], "make slow measures anew"


def test_what_is_given_to_a_test_is_no_part_of_its_name() -> None:
    assert slow_list.get_function("tests/a.py::test_b[sqlite-c]") == "tests/a.py::test_b"


def test_the_dearest_cell_decides() -> None:
    computes, waits = slow_list.COMPUTES, slow_list.WAITS

    assert slow_list.is_slow([(0.01, 0.02), (computes, 0.3)])
    assert slow_list.is_slow([(0.01, waits)])
    assert not slow_list.is_slow([(computes - 0.01, waits - 0.01)])
