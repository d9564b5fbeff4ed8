"""Several gateways on one port: who starts them, keeps their number and ends them.

Runs no payment and knows none: a worker is a process that is told where to listen.
"""
