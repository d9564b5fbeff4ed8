"""The facts the gateway is built on: codes, currencies, countries, card brands.

Each table is a file in `data/` with a module of the same name that loads it once, at import, and
refuses it when it has duplicates, gaps or contradictions. This is the lowest floor: it imports
nothing of the project and must not know the clock, the network or any framework.
"""
