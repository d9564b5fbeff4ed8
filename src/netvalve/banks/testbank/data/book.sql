-- The bank's book. One line per message; `id` and `opening_id` are given by the one writer.
CREATE TABLE IF NOT EXISTS entries (
    id                      INTEGER PRIMARY KEY,
    opening_id              INTEGER,
    booked_at_ms            INTEGER NOT NULL,
    acquirer_id             TEXT NOT NULL,
    terminal_id             TEXT NOT NULL,
    transmitted_at          TEXT NOT NULL,
    stan                    TEXT NOT NULL,
    message_type            TEXT NOT NULL,
    operation               TEXT NOT NULL,
    rrn                     TEXT NOT NULL,
    currency                TEXT NOT NULL,
    asked_minor             INTEGER NOT NULL,
    amount_minor            INTEGER NOT NULL,
    card                    TEXT,
    card_digest             BLOB,
    original_message_type   TEXT,
    original_stan           TEXT,
    original_transmitted_at TEXT,
    original_acquirer_id    TEXT,
    response_code           TEXT NOT NULL,
    auth_code               TEXT,
    scheme_transaction_id   TEXT,
    verification            TEXT,
    state                   TEXT NOT NULL,
    held_minor              INTEGER NOT NULL CHECK (held_minor >= 0),
    captured_minor          INTEGER NOT NULL CHECK (captured_minor >= 0),
    refunded_minor          INTEGER NOT NULL CHECK (refunded_minor BETWEEN 0 AND captured_minor)
) STRICT;

-- The duplicate key; its first two columns find the original that field 90 names.
CREATE UNIQUE INDEX IF NOT EXISTS entries_key
    ON entries (stan, transmitted_at, terminal_id, acquirer_id);

CREATE INDEX IF NOT EXISTS entries_remembered
    ON entries (original_stan, original_transmitted_at) WHERE state = 'REMEMBERED';

CREATE INDEX IF NOT EXISTS entries_rrn ON entries (rrn);

-- Every card's money, one line per currency; the card is a keyed digest.
CREATE TABLE IF NOT EXISTS balances (
    card_digest    BLOB NOT NULL,
    currency       TEXT NOT NULL,
    held_minor     INTEGER NOT NULL CHECK (held_minor >= 0),
    captured_minor INTEGER NOT NULL CHECK (captured_minor >= 0),
    refunded_minor INTEGER NOT NULL CHECK (refunded_minor BETWEEN 0 AND captured_minor),
    PRIMARY KEY (card_digest, currency)
) STRICT, WITHOUT ROWID;
