"""A started gateway tells a program where it listens, in one line of JSON."""

import json
import subprocess
import sys
from pathlib import Path

import httpx

from running import Sandbox


def first_line(home: Path, command: str) -> dict[str, object]:
    """What the command prints once it listens; its gateway answers, and it ends well."""
    ready = Sandbox(home)
    assert command == "sandbox" or ready.command("keyring", "new").returncode == 0
    with subprocess.Popen(
        [sys.executable, "-m", "netvalve.cli", command, "--json"],
        env=ready.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as started:
        assert started.stdout is not None
        try:
            told: dict[str, object] = json.loads(started.stdout.readline())
            alive = httpx.get(f"{told['base_url']}/health/live", trust_env=False)
            assert alive.status_code == 200
        finally:
            started.terminate()
        assert started.stdout.read() == ""
        assert started.wait(20) == 0
    return told


def test_serve_as_json_tells_its_address(tmp_path: Path) -> None:
    told = first_line(tmp_path, "serve")
    assert [*told] == ["base_url", "host", "port"]
    assert told["base_url"] == f"http://{told['host']}:{told['port']}"


def test_sandbox_as_json_tells_what_its_file_holds(tmp_path: Path) -> None:
    told = first_line(tmp_path, "sandbox")
    assert told == json.loads((tmp_path / "sandbox.json").read_text())
