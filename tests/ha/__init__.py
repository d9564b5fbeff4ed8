"""The drill: a cluster of real servers in a private network, broken on purpose under load."""
