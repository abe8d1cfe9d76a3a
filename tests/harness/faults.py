"""What may happen to MySQL, and how it is set right again."""

from collections.abc import Callable

from harness.mariadb import MariadbError
from harness.mirror import PASSWORD, USER, Mirror, quoted

OUTAGE = "MySQL is not available"


def as_every_user(db: Mirror, statement: str) -> None:
    """`{}` stands for the login, which is one for each way in."""
    for host in ("127.0.0.1", "localhost"):
        db.mariadb.sql(statement.format(f"{USER}@{host}"))


def cut_connections(db: Mirror) -> None:
    for (number,) in db.sql(f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'"):
        try:
            db.sql(f"KILL {number}")
        except MariadbError as e:
            if "Unknown thread id" not in str(e):
                raise


def lock_out(db: Mirror) -> None:
    as_every_user(db, "ALTER USER {} IDENTIFIED BY 'another'")
    cut_connections(db)


def let_in(db: Mirror) -> None:
    password = PASSWORD.replace("'", "''")
    as_every_user(db, f"ALTER USER {{}} IDENTIFIED BY '{password}'")


def revoke(db: Mirror) -> None:
    as_every_user(db, f"REVOKE ALL ON {quoted(db.name)}.* FROM {{}}")
    cut_connections(db)


def revoke_writing(db: Mirror) -> None:
    as_every_user(db, f"REVOKE INSERT, UPDATE, DELETE ON {quoted(db.name)}.* FROM {{}}")
    cut_connections(db)


def grant(db: Mirror) -> None:
    as_every_user(db, f"GRANT ALL ON {quoted(db.name)}.* TO {{}}")


def fill_disk(db: Mirror) -> None:
    """What MySQL says then, of every table of the user's; a disk that is really full makes some versions of MariaDB
    crash. A table that somebody drops meanwhile is left out."""
    for table in db.tables():
        for verb in ("INSERT", "UPDATE"):
            try:
                db.sql(
                    f"CREATE TRIGGER full_{table}_{verb} BEFORE {verb} ON {table} FOR EACH ROW"
                    f" SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table {table} is full'"
                )
            except MariadbError as e:
                if "doesn't exist" not in str(e):
                    raise


def clear_disk(db: Mirror) -> None:
    for table in db.tables():
        for verb in ("INSERT", "UPDATE"):
            db.sql(f"DROP TRIGGER IF EXISTS full_{table}_{verb}")


# Each a pair of what breaks MySQL and what mends it.
FAULTS: dict[str, tuple[Callable[[Mirror], object], Callable[[Mirror], object]]] = {
    "crash": (lambda db: db.mariadb.kill(), lambda db: db.mariadb.start()),
    "stop": (lambda db: db.mariadb.stop(), lambda db: db.mariadb.start()),
    "hang": (lambda db: db.mariadb.pause(), lambda db: db.mariadb.resume()),
    "disk": (fill_disk, clear_disk),
    "read only": (lambda db: db.sql("SET GLOBAL read_only = 1"), lambda db: db.sql("SET GLOBAL read_only = 0")),
    "password": (lock_out, let_in),
    "rights": (revoke, grant),
    "writing": (revoke_writing, grant),
}
