"""Starts the client processes together and gathers what they saw."""

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
    """A client process ended before it was done."""


def run(plan: Plan, inventory: Inventory, on_tick: Callable[[float, Tick], None]) -> list[Samples]:
    """Puts the load on the service.

    Args:
        plan: What to do.
        inventory: What to ask about.
        on_tick: Called as it goes, with the seconds since the start of what is measured (below 0: warm-up).

    Returns:
        By client process what it saw.

    Raises:
        ClientDied: A client process ended before it was done; its own words are on standard error.
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
        raise ClientDied("a client process ended before it was done; what it wrote stands above") from error
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
