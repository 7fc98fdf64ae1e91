"""What is compared between nodes, and how it is said."""

from sweep.checks import between
from sweep.checks.between import Clock
from sweep.checks.finding import Finding, gathered


def test_equal_versions_are_a_line_and_others_are_named_with_their_node() -> None:
    here = between.versions()
    assert here["torch"] != "missing"
    [line] = between.compared({"a": here, "b": {**here}})
    assert (line.status, "all 2 nodes" in line.found) == ("ok", True)
    older = here | {"torch": "2.0", "ray": "2.1"}
    [line] = between.compared({"a": here, "b": older, "c": here})
    assert line.status == "FAIL"
    assert line.found == f"b has torch 2.0 for {here['torch']}, ray 2.1 for {here['ray']} on a"


def test_a_clock_is_wrong_only_where_that_is_sure() -> None:
    [line] = between.clocks({"a": Clock(0.0, 0.02), "b": Clock(2.5, 3.0)})
    assert line.status == "ok"
    lines = between.clocks({"a": Clock(0.0, 0.02), "b": Clock(5.0, 0.1), "c": Clock(-90.0, 0.1)})
    assert [(line.status, line.found) for line in lines] == [
        ("warn", "b is 5.0 s ahead of the driver"),
        ("FAIL", "c is 90.0 s behind the driver"),
    ]


def test_what_several_nodes_have_in_common_is_said_once() -> None:
    same, other = Finding("ok", "cores", "8 cores"), Finding("FAIL", "disk", "none", "buy one")
    found = gathered({"a": [same, Finding("ok", "disk", "much")], **{name: [same, other] for name in "bcdef"}})
    assert [str(line) for line in found] == [
        "ok    cores       all 6 nodes: 8 cores",
        "ok    disk        a: much",
        "FAIL  disk        b, c, d and 2 more: none; buy one",
    ]
