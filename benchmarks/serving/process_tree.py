"""All processes of a server."""

from __future__ import annotations

from pathlib import Path


def processor_ticks(process: int) -> dict[int, int]:
    """By id the processor time of a process, its session and their descendants, in clock ticks (Linux)."""
    parents, sessions, ticks = {}, {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may contain anything; then come proc(5)'s fields from the third on.
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # the process ended
            continue
        pid = int(path.parent.name)
        parents[pid], sessions[pid] = int(fields[1]), int(fields[3])
        ticks[pid] = int(fields[11]) + int(fields[12])

    def belongs(pid: int) -> bool:
        return sessions.get(pid) == process or (pid in parents and belongs(parents[pid]))

    return {pid: spent for pid, spent in ticks.items() if belongs(pid)}
