"""The rules of payments: pure values and functions that know no clock, no I/O and no framework."""
