import os
import sys
import threading
from types import SimpleNamespace
from typing import cast

import pytest

from service.errors import BundleDisagrees, BundleError, NoBundle
from service.recommending.recommender import Recommender
from service.served_bundle import ServedBundle

RECOMMENDER = cast("Recommender", SimpleNamespace(bundle_id="one"))


def loaded(served: ServedBundle) -> ServedBundle:
    served.start()
    assert served.wait(10)
    return served


def test_until_the_bundle_is_loaded_there_is_none() -> None:
    may_end = threading.Event()

    def load() -> Recommender:
        assert may_end.wait(10)
        return RECOMMENDER

    served = ServedBundle(load)
    served.start()
    assert (served.bundle_id, served.error, served.wait(0.01)) == (None, None, False)
    with pytest.raises(NoBundle, match="still being loaded"):
        _ = served.recommender
    may_end.set()
    assert served.wait(10)
    assert served.recommender is RECOMMENDER
    assert served.bundle_id == "one"


def test_a_refused_bundle_raises_its_error_anew_for_each_caller() -> None:
    def load() -> Recommender:
        raise BundleDisagrees("golden.json: other answers")

    served = loaded(ServedBundle(load))
    raised = []
    for _ in range(2):
        with pytest.raises(BundleDisagrees, match="other answers") as caught:
            _ = served.recommender
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert isinstance(served.error, BundleDisagrees)


def test_an_unforeseen_error_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def load() -> Recommender:
        raise MemoryError("too big")

    served = loaded(ServedBundle(load))
    with pytest.raises(BundleError, match="MemoryError: too big"):
        _ = served.recommender
    assert "Traceback" in caplog.text


def test_it_loads_once_and_calls_back_whether_started_before_or_after() -> None:
    loads, calls = [], []

    def load() -> Recommender:
        loads.append(1)
        return RECOMMENDER

    served = ServedBundle(load)
    early = threading.Event()
    served.start(early.set)
    assert early.wait(10)
    served.start(lambda: calls.append("late"))
    assert (loads, calls) == ([1], ["late"])


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no policy of their own there")
@pytest.mark.parametrize("yields", [True, False])
def test_only_the_loading_thread_yields_to_other_processes(yields: bool) -> None:
    seen = []

    def load() -> Recommender:
        seen.append(os.sched_getscheduler(threading.get_native_id()))
        return RECOMMENDER

    loaded(ServedBundle(load, yields=yields))
    assert seen == [os.SCHED_IDLE if yields else os.SCHED_OTHER]
    assert os.sched_getscheduler(threading.get_native_id()) == os.SCHED_OTHER
