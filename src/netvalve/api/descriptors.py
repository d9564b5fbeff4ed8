"""How many connections the operating system lets this process hold open."""

import sys
from typing import Final

RESERVED: Final = 512
"""File descriptors kept for the store, its exports and the banks."""


def connections_allowed(wanted: int) -> int:
    """As many as wanted where that leaves enough for the rest; the soft limit is raised for it.

    A process without a free descriptor can neither reach its banks nor read its store.
    """
    if sys.platform == "win32":  # knows no such limit on sockets
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if raised > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return max(raised - RESERVED, raised // 2)
