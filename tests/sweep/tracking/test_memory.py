import subprocess

from commands import call

from sweep.tracking.memory import PeakMemory


def test_peak_memory_counts_children_and_stays_at_the_peak() -> None:
    peak = PeakMemory()
    peak.look()
    alone = peak.bytes
    with subprocess.Popen(call("take_memory.py"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        peak.look()
        child.communicate()
    high = peak.bytes
    peak.look()
    assert high - alone > 190_000_000
    assert peak.bytes >= high
