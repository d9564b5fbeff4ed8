"""Answers: from the domain's records to the contract's bodies, as plain dictionaries and bytes."""
