"""What each operation does between a request and its answer."""
