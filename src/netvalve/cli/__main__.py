"""`python -m netvalve.cli`: how the sandbox starts its test bank with its own interpreter."""

from netvalve.cli.main import run

if __name__ == "__main__":
    run()
