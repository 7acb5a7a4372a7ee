import gc
import sys
import threading
import time

from service.reloading.breathing import breathing


def computing(calls: int) -> int:
    return sum(len(str(number)) for number in range(calls))


def test_the_thread_rests_most_of_the_time() -> None:
    started, worked = time.perf_counter(), time.thread_time()
    with breathing():
        while time.perf_counter() - started < 0.5:
            computing(10)
    assert time.thread_time() - worked < 0.5 * (time.perf_counter() - started)


def test_everything_is_as_before_afterwards_and_in_other_threads_all_along() -> None:
    profiles = []
    before = sys.getswitchinterval(), sys.getprofile(), gc.isenabled()
    with breathing():
        other = threading.Thread(target=lambda: profiles.append(sys.getprofile()))
        other.start()
        other.join()
        assert not gc.isenabled()
    assert profiles == [None]
    assert (sys.getswitchinterval(), sys.getprofile(), gc.isenabled()) == before
