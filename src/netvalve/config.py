"""Settings: one row each, from a TOML file and the environment, the environment winning.

`netvalve settings` and the documentation list these rows; there is no setting elsewhere.
"""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ENVIRONMENT_PREFIX = "NETVALVE_"
FILE_VARIABLE = "NETVALVE_SETTINGS"
"""Names the TOML file; without it `netvalve.toml` in the current folder, where there is one."""

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1)]


class Settings(BaseSettings):
    """Every setting with its default, its limits and what it is for."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True, str_strip_whitespace=True
    )

    home: Path = Field(
        Path("var"), description="Folder of the data: database, keyring, sandbox.json"
    )
    host: str = Field("127.0.0.1", description="Address the gateway listens on")
    port: Port = Field(8080, description="Port the gateway listens on; 0 takes a free one")
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that `netvalve serve` runs on its port, each a gateway of its own "
        "with its own limits and bank links; more than one needs PostgreSQL",
    )
    database: str = Field(
        "",
        description="Database URL: sqlite:///path or postgresql://user@host/name (several hosts as "
        "host:port,host:port); empty means SQLite in the home folder (netvalve.sqlite3)",
    )
    keyring: Path | None = Field(
        None, description="Key ring file; empty means keyring.json in the home folder"
    )
    bank_host: str = Field("127.0.0.1", description="Address the test bank listens on")
    bank_port: Port = Field(8583, description="Port of the test bank's link; 0 takes a free one")
    bank_admin_port: Port = Field(
        8584, description="Port of the test bank's HTTP admin, loopback only; 0 takes a free one"
    )
    acquirer_id: str = Field(
        "400001", pattern=r"^\d{1,11}$", description="The gateway's own number at banks (field 32)"
    )
    charge_deadline_s: Seconds = Field(
        25, description="Sale, authorize and rebill are answered within this, waiting included"
    )
    follow_up_deadline_s: Seconds = Field(
        12, description="Capture, refund and cancel are answered within this, waiting included"
    )
    closing_grace_s: Seconds = Field(
        2, description="How long past the deadline an answer waits for its outcome to be durable"
    )
    turn_wait_s: Seconds = Field(
        3, description="How long a second operation of an order waits for one in flight"
    )
    inquiry_wait_s: float = Field(
        2, ge=0, le=10, description="How long an inquiry waits for an outcome that is not known yet"
    )
    inquiries_waiting_max: Count = Field(
        1_000,
        description="Inquiries that wait at once, one client's at most half of them; above it "
        "the answer is what is known. Well below `requests_max`, where each holds a place",
    )
    idempotency_hours: float = Field(
        24, ge=1, le=720, description="How long an Idempotency-Key is known after its first request"
    )
    expiry_poll_s: Seconds = Field(
        5, description="How often authorizations past their hold time are looked for"
    )
    sandbox_hold_day_s: Seconds = Field(
        86_400,
        description="How long a day of a hold lasts in the sandbox, to see one end; "
        "`netvalve serve` counts whole days",
    )
    lease_s: float = Field(
        10,
        ge=1,
        le=300,
        description="How long a gateway that says nothing is taken for running; after it another "
        "may take over what it has left",
    )
    bank_connections: Count = Field(2, le=64, description="Connections to each bank")
    bank_in_flight_max: Count = Field(
        1000, description="Messages in flight to one bank; above it a payment is closed as not sent"
    )
    bank_echo_s: Seconds = Field(30, description="A silent link is tested after this long")
    bank_reconnect_max_s: Seconds = Field(
        5, description="The longest pause between two attempts to connect to a bank"
    )
    journal_batch_max: Count = Field(512, description="Writes in one commit at most")
    journal_waiting_max: Count = Field(
        10_000, description="Writes waiting for a commit at most; above it requests get 503"
    )
    read_connections: Count = Field(4, le=64, description="Connections for listings and exports")
    configuration_poll_s: Seconds = Field(
        0.5, le=1, description="How often changes of clients, keys and accounts are looked for"
    )
    listing_max_s: Seconds = Field(
        10,
        le=25,
        description="How long a page of `/orders` or `/export` and its count may take; what takes "
        "longer is refused with 422 and has to say more",
    )
    export_max_s: Seconds = Field(
        3600, description="How long one export may take; a longer one is broken off"
    )
    body_bytes_max: Count = Field(65_536, description="Largest request body; above it 413")
    header_bytes_max: Count = Field(32_768, description="Largest request head; above it 431")
    requests_max: Count = Field(
        2_000, description="Requests being answered at once; above it 503 with Retry-After"
    )
    connections_max: Count = Field(
        4_096,
        description="Connections open at once, as far as the process may open files; "
        "above it 503 with Retry-After",
    )
    shutdown_grace_s: Seconds = Field(
        30, description="How long a stopping gateway finishes what it has taken"
    )
    log_level: str = Field(
        "info", pattern=r"^(debug|info|warning|error)$", description="Least level that is logged"
    )
    log_file: Path | None = Field(None, description="File for the log; empty means standard error")

    @property
    def database_url(self) -> str:
        """The database, with the embedded default filled in."""
        return self.database or f"sqlite:///{self.home / 'netvalve.sqlite3'}"

    @property
    def idempotency_ms(self) -> int:
        """How long a key is known, in milliseconds."""
        return round(self.idempotency_hours * 3_600_000)

    @property
    def keyring_path(self) -> Path:
        """The key ring file, with the default filled in."""
        return self.keyring or self.home / "keyring.json"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code first, then the environment, then the TOML file."""
        del dotenv_settings, file_secret_settings
        file = Path(os.environ.get(FILE_VARIABLE, "netvalve.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)
