"""Load: closed by wrk and its scripts, open by a generator that keeps to a schedule."""
