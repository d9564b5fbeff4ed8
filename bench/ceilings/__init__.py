"""What each part of a payment's path can do alone, on the same two cores as the whole."""
