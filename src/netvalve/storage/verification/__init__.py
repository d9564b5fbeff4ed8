"""Verification: every amount and state of a store, recomputed from its independent rows."""
