"""The contract's schemas: what a request may say, field by field, and what an answer looks like."""
