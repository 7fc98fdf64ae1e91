import pytest

from sweep.simulation.machines import Machines


def test_machines_that_are_up_are_paid_for_from_start_to_end() -> None:
    machines = Machines(3)
    assert machines.take(5.0) == 5.0
    machines.work(10.0)
    machines.give(15.0)
    machines.end(20.0)
    assert machines.paid == 3 * 20.0


def test_a_machine_is_started_when_asked_for_and_let_go_of_when_idle() -> None:
    machines = Machines(2, boot=60.0, idle=30.0)
    assert machines.take(0.0) == 60.0
    machines.work(10.0)
    machines.give(70.0)
    # The one that is still up goes on, though another one was never up.
    assert machines.take(90.0) == 90.0
    machines.work(10.0)
    machines.give(100.0)
    assert machines.take(200.0) == 260.0
    machines.work(5.0)
    machines.give(265.0)
    machines.end(1000.0)
    assert machines.paid == pytest.approx(60 + 10 + 20 + 10 + 30 + 60 + 5 + 30)
