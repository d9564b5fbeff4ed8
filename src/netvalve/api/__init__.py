"""HTTP: the operation table, and everything that is made from it."""
