"""The test bank: a program of its own, with a durable book and faults on demand."""
