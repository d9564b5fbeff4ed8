"""The name of this process: in its log, at its store, in the history of what it has done."""

import os
import socket


def this_node() -> str:
    """The host and the process; no two that run have the same."""
    return f"{socket.gethostname()}-{os.getpid()}"
