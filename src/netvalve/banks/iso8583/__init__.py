"""The bank link: ISO 8583:1987 over TCP."""
