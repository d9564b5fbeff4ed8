"""Banks: each a class behind one small protocol (`payments.ports.Bank`)."""
