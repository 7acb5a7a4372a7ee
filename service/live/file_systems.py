"""Find out whether a directory is on a network file system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    (
        *(
            "9p",
            "afs",
            "beegfs",
            "ceph",
            "cifs",
            "coda",
            "gfs2",
            "glusterfs",
            "gpfs",
            "lustre",
            "ncpfs",
            "nfs",
        ),
        *("nfs4", "ocfs2", "orangefs", "pvfs2", "smb2", "smb3", "smbfs"),
        *("fuse.ceph-fuse", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs"),
        *("fuse.mfs", "fuse.sshfs", "fuse.blobfuse", "fuse.goofys", "fuse.mount-s3", "fuse.seaweedfs"),
    )
)


def network_file_system(directory: Path, *, mounts: Path = _MOUNTS) -> str | None:
    """The kind of the network file system that a directory is on; None where it is local or unknown.

    Args:
        directory: It exists.
        mounts: The kernel's list of mounts, see proc_pid_mountinfo(5).

    Raises:
        OSError: The directory is missing.
    """
    device = os.stat(directory).st_dev  # noqa: PTH116 not the path, which is a setting, but its device
    if sys.platform != "linux":
        return None
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 2 and fields[2] == wanted and (kind := after.partition(" ")[0]) in _NETWORK:
            return kind
    return None
