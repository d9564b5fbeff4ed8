"""A payment gateway that speaks the NetValve Payment Gateway API."""

__version__ = "0.1.0"
