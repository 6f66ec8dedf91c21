"""Tables of one connection only, in which SQLite lays a delivery out: made when the connection is opened.

Made within a transaction they would have SQLite read the whole schema, with all its triggers, after each savepoint that
is taken back. PostgreSQL has none of this and makes its own where they are needed.
"""

TABLES = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS arriving_key (source_system text, account_key text)",
    "CREATE TEMPORARY TABLE IF NOT EXISTS network_noted (address text PRIMARY KEY, network text)",
)


def make(sender, connection, **kwargs) -> None:
    """Connected to `connection_created`."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(table)
