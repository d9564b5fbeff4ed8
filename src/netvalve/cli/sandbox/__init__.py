"""The sandbox: a merchant to play, the test bank beside the gateway, and both as one command."""
