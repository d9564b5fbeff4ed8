"""The gateway's reason to exist: six operations, one pipeline, the enquiries."""
