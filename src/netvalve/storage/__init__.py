"""The store: a narrow journal for writing, SQLAlchemy Core for reading, a vault for cards."""
