"""The schema's revisions, oldest first; `netvalve.storage.migrate` runs them."""
