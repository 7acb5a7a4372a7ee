"""Run the client processes of a load test and collect their samples."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait

from benchmarks.load.client_process import Tick, run_process
from benchmarks.load.inventory import Inventory
from benchmarks.load.plan import Plan
from benchmarks.load.samples import Samples


class ClientDied(Exception):
    """A client process exited early."""


def run(plan: Plan, inventory: Inventory, on_tick: Callable[[float, Tick], None]) -> list[Samples]:
    """Run a load test.

    Args:
        plan: The load test.
        inventory: Ids for the requests.
        on_tick: Called with the seconds since the start of the measurement (negative: warm-up).

    Returns:
        Samples of each client process.

    Raises:
        ClientDied: A client process exited early; its traceback is on standard error.
    """
    spawn = multiprocessing.get_context("spawn")
    links, processes = [], []
    for number in range(plan.processes):
        here, there = spawn.Pipe()
        process = spawn.Process(target=run_process, args=(plan, inventory, number, there), daemon=True)
        process.start()
        there.close()
        links.append(here)
        processes.append(process)
    try:
        return _gather(plan, links, on_tick)
    except EOFError as error:
        raise ClientDied("a client process exited early; its traceback is above") from error
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _gather(plan: Plan, links: list[Connection], on_tick: Callable[[float, Tick], None]) -> list[Samples]:
    for link in links:
        link.recv()  # it has imported all it needs
    begin = time.monotonic()
    for link in links:
        link.send(begin)
    samples: dict[int, Samples] = {}
    while len(samples) < len(links):
        readable = wait([link for number, link in enumerate(links) if number not in samples])
        for number, link in enumerate(links):
            if link not in readable:
                continue
            message = link.recv()
            if isinstance(message, Samples):
                samples[number] = message
            else:
                on_tick(time.monotonic() - begin - plan.warm_up_seconds, message)
    return [samples[number] for number in range(len(links))]
