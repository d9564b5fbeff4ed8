"""The simulation: the whole gateway in one thread, in a time and a weather of its own."""
