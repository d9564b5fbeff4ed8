"""The benchmark: how close the gateway comes to what its machine can do at all.

`python -m bench` runs it; docs/performance.md says what is measured and how to read it.
"""
