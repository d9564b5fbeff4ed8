"""Rounds of harm: real processes under load, broken on purpose, then asked what is still true."""
