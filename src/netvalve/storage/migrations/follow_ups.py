"""What revision 0005 keeps of follow-ups: whatever is done on an order after its opening.

`follow_ups` has each of them with what its order is listed by. `followed_orders` has each order
with follow-ups, and in its `course` the type and state of all its transactions, each pair once:
` AUTHORIZATION:CAPTURED CAPTURE:APPROVED `. Triggers keep both, whoever writes.
"""

from collections.abc import Iterator
from typing import Final

COPIED: Final = (
    "first_six",
    "last_four",
    "email_folded",
    "first_name_folded",
    "last_name_folded",
    "country",
    "site_id",
)
"""Of the order; none of it ever changes."""
_OWN: Final = ("order_id", "transaction_id", "client_id", "opened_at_ms")
_LISTED: Final = ("mid_id", "type", "currency", "amount_minor")
COLUMNS: Final = (*_OWN, *_LISTED, *COPIED)
_OF_ORDER: Final = ("client_id", "created_at_ms", "mid_id", "state", "currency")
_OPENERS: Final = "('AUTHORIZATION', 'SALE', 'REBILL')"
_INTO_FOLLOW_UPS: Final = f"INSERT INTO follow_ups ({', '.join(COLUMNS)})"
_INTO_FOLLOWED: Final = f"INSERT INTO followed_orders (order_id, {', '.join(_OF_ORDER)}, course)"
_FROM_EXCLUDED: Final = ", ".join(f"{name} = excluded.{name}" for name in (*_OF_ORDER, "course"))


def _of(row: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{row}.{name}" for name in names)


def sqlite_triggers() -> Iterator[str]:
    """What keeps both tables on SQLite."""
    yield f"""
CREATE TRIGGER transactions_follow AFTER INSERT ON transactions WHEN NEW.type NOT IN {_OPENERS}
BEGIN {_sqlite_kept("NEW")}; END
"""
    yield f"""
CREATE TRIGGER transactions_go_on AFTER UPDATE OF state ON transactions
WHEN OLD.state <> NEW.state
BEGIN
    UPDATE followed_orders SET course = {_sqlite_course("NEW.order_id")}
    WHERE order_id = NEW.order_id;
END
"""  # noqa: S608  # constants
    yield f"""
CREATE TRIGGER transactions_unfollow AFTER DELETE ON transactions WHEN OLD.type NOT IN {_OPENERS}
BEGIN
    DELETE FROM follow_ups
    WHERE order_id = OLD.order_id AND transaction_id = OLD.transaction_id;
    DELETE FROM followed_orders WHERE order_id = OLD.order_id
        AND NOT EXISTS (SELECT 1 FROM follow_ups WHERE order_id = OLD.order_id);
    UPDATE followed_orders SET course = {_sqlite_course("OLD.order_id")}
    WHERE order_id = OLD.order_id;
END
"""  # noqa: S608  # constants
    yield f"""
CREATE TRIGGER orders_go_on AFTER UPDATE OF {", ".join(_OF_ORDER)} ON orders
BEGIN
    UPDATE followed_orders SET {", ".join(f"{name} = NEW.{name}" for name in _OF_ORDER)}
    WHERE order_id = NEW.order_id;
END
"""  # noqa: S608  # constants
    yield """
CREATE TRIGGER orders_unfollow AFTER DELETE ON orders
BEGIN DELETE FROM followed_orders WHERE order_id = OLD.order_id; END
"""


def _sqlite_kept(row: str) -> str:
    """One transaction, and the order it is on."""
    return f"""
{_INTO_FOLLOW_UPS}
SELECT {_of(row, (*_OWN, *_LISTED))}, {_of("o", COPIED)} FROM orders o
WHERE o.order_id = {row}.order_id;
{_INTO_FOLLOWED}
SELECT o.order_id, {_of("o", _OF_ORDER)}, {_sqlite_course("o.order_id")} FROM orders o
WHERE o.order_id = {row}.order_id
ON CONFLICT (order_id) DO UPDATE SET {_FROM_EXCLUDED}
"""  # noqa: S608  # constants


def _sqlite_course(order_id: str) -> str:
    return f"""(
    SELECT ' ' || group_concat(step, ' ') || ' ' FROM (
        SELECT DISTINCT t.type || ':' || t.state AS step FROM transactions t
        WHERE t.order_id = {order_id} ORDER BY 1
    )
)"""  # noqa: S608  # constants


def sqlite_filling() -> Iterator[str]:
    """Both tables, of every row there is."""
    followed = f"SELECT order_id FROM transactions WHERE type NOT IN {_OPENERS}"  # noqa: S608
    yield f"""
{_INTO_FOLLOW_UPS}
SELECT {_of("t", (*_OWN, *_LISTED))}, {_of("o", COPIED)}
FROM transactions t CROSS JOIN orders o ON o.order_id = t.order_id WHERE t.type NOT IN {_OPENERS}
"""  # noqa: S608  # constants
    yield f"""
{_INTO_FOLLOWED}
SELECT o.order_id, {_of("o", _OF_ORDER)}, {_sqlite_course("o.order_id")} FROM orders o
WHERE o.order_id IN ({followed})
"""  # noqa: S608  # constants


_BOUND: Final = 100_000_000_000
_FIRST: Final = f"""
first_number := (
    SELECT CASE WHEN month % 100 = 1 THEN month - 89 ELSE month - 1 END * {_BOUND}
    FROM (SELECT min(number) / {_BOUND} AS month FROM unnest(numbers) AS number) least
)
"""  # noqa: S608  # constants
_ON_THEM: Final = f"""
t.order_id = ANY (numbers) AND (t.transaction_id >= first_number OR t.transaction_id < {_BOUND})
"""
"""The number of a transaction lies in the month of its order's or later, or one before where its
block of numbers was taken earlier: the parts before are not looked at."""

POSTGRES_FUNCTIONS: Final = (
    f"""
CREATE OR REPLACE FUNCTION keep_follow_ups(numbers bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE first_number bigint;
BEGIN
    {_FIRST};
    {_INTO_FOLLOW_UPS}
    SELECT {_of("t", (*_OWN, *_LISTED))}, {_of("o", COPIED)}
    FROM transactions t JOIN orders o ON o.order_id = t.order_id AND o.order_id = ANY (numbers)
    WHERE {_ON_THEM} AND t.type NOT IN {_OPENERS}
    ORDER BY t.order_id, t.transaction_id
    ON CONFLICT DO NOTHING;
END $$
""",  # noqa: S608  # constants
    f"""
CREATE OR REPLACE FUNCTION follow_orders(numbers bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE first_number bigint;
BEGIN
    {_FIRST};
    PERFORM 1 FROM orders WHERE order_id = ANY (numbers) ORDER BY order_id FOR NO KEY UPDATE;
    {_INTO_FOLLOWED}
    SELECT o.order_id, {_of("o", _OF_ORDER)}, course.steps
    FROM orders o JOIN (
        SELECT order_id, ' ' || string_agg(step, ' ' ORDER BY step) || ' ' AS steps FROM (
            SELECT DISTINCT t.order_id, (t.type || ':' || t.state) COLLATE "C" AS step
            FROM transactions t WHERE {_ON_THEM}
        ) AS steps
        GROUP BY order_id HAVING bool_or(split_part(step, ':', 1) NOT IN {_OPENERS})
    ) AS course ON course.order_id = o.order_id
    WHERE o.order_id = ANY (numbers)
    ORDER BY o.order_id
    ON CONFLICT (order_id) DO UPDATE SET {_FROM_EXCLUDED}
    WHERE ({_of("followed_orders", (*_OF_ORDER, "course"))})
        IS DISTINCT FROM ({_of("excluded", (*_OF_ORDER, "course"))});
END $$
""",  # noqa: S608  # constants
    f"""
CREATE OR REPLACE FUNCTION transactions_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE numbers bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        numbers := ARRAY(SELECT DISTINCT order_id FROM come WHERE type NOT IN {_OPENERS});
        IF cardinality(numbers) > 0 THEN
            PERFORM follow_orders(numbers);
            PERFORM keep_follow_ups(numbers);
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        numbers := ARRAY(
            SELECT order_id FROM followed_orders WHERE order_id = ANY (ARRAY(
                SELECT come.order_id FROM come JOIN gone USING (transaction_id)
                WHERE come.state <> gone.state
            ))
        );
        IF cardinality(numbers) > 0 THEN
            PERFORM follow_orders(numbers);
        END IF;
    ELSE
        numbers := ARRAY(SELECT DISTINCT order_id FROM gone WHERE type NOT IN {_OPENERS});
        DELETE FROM follow_ups WHERE order_id = ANY (numbers)
            AND transaction_id = ANY (ARRAY(SELECT transaction_id FROM gone));
        DELETE FROM followed_orders f WHERE order_id = ANY (numbers)
            AND NOT EXISTS (SELECT 1 FROM follow_ups u WHERE u.order_id = f.order_id);
        PERFORM follow_orders(numbers);
    END IF;
    RETURN NULL;
END $$
""",  # noqa: S608  # constants
    f"""
CREATE OR REPLACE FUNCTION orders_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE followed_orders f
        SET ({", ".join(_OF_ORDER)}) = ROW ({_of("o", _OF_ORDER)})
        FROM come o
        WHERE f.order_id = ANY (ARRAY(SELECT order_id FROM come)) AND f.order_id = o.order_id
            AND ({_of("f", _OF_ORDER)}) IS DISTINCT FROM ({_of("o", _OF_ORDER)});
    ELSE
        DELETE FROM followed_orders WHERE order_id = ANY (ARRAY(SELECT order_id FROM gone));
    END IF;
    RETURN NULL;
END $$
""",  # noqa: S608  # constants
)
POSTGRES_TRIGGERS: Final = tuple(
    f"CREATE OR REPLACE TRIGGER {table}_{name} AFTER {when} ON {table} REFERENCING {rows}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_follow()"
    for table, name, when, rows in (
        ("transactions", "follow", "INSERT", "NEW TABLE AS come"),
        ("transactions", "go_on", "UPDATE", "OLD TABLE AS gone NEW TABLE AS come"),
        ("transactions", "unfollow", "DELETE", "OLD TABLE AS gone"),
        ("orders", "go_on", "UPDATE", "NEW TABLE AS come"),
        ("orders", "unfollow", "DELETE", "OLD TABLE AS gone"),
    )
)
NEXT_FOLLOWED: Final = f"""
SELECT DISTINCT order_id FROM transactions
WHERE order_id > :after AND type NOT IN {_OPENERS} ORDER BY order_id LIMIT :limit
"""  # noqa: S608  # constants
KEEP: Final = "SELECT follow_orders(:numbers), keep_follow_ups(:numbers)"
TRIGGERS: Final = (
    ("transactions_follow", "transactions"),
    ("transactions_go_on", "transactions"),
    ("transactions_unfollow", "transactions"),
    ("orders_go_on", "orders"),
    ("orders_unfollow", "orders"),
)
"""On either database."""
FUNCTIONS: Final = (
    "transactions_follow()",
    "orders_follow()",
    "follow_orders(bigint[])",
    "keep_follow_ups(bigint[])",
)
