"""The embedded store: one process, one SQLite file, one writer and many readers."""
