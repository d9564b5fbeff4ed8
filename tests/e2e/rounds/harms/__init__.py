"""What is done to a running station, one idea a module."""
