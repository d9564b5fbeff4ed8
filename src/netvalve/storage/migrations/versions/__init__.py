"""One file a revision. A revision is never edited once it has been released."""
