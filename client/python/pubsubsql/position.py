"""How far a subscription has come in the changes of its table."""

from __future__ import annotations

from typing import Optional

from pubsubsql.errors import RefusedError, UsageError
from pubsubsql.rows import Change
from pubsubsql.statement import clause_index

_POSITION_MAX = (1 << 53) - 1


class Position:
    """How far a subscription has come, and how it is asked for on the next connection."""

    # Invariant: value is there exactly when all rows up to it are known, so that the changes behind it are all that is
    # missing. While initial rows come it is not.

    def __init__(self, sql: str, skips: bool, since: Optional[int]) -> None:
        """`skips`: there are no initial rows. `since`: where to begin, if that was said. Raises UsageError when it is no
        position."""
        if since is not None and (type(since) is not int or not 0 <= since <= _POSITION_MAX):
            raise UsageError(f"since: {since!r} is no position; give the `seq` of a change, or `position` of a subscription")
        self.value = since
        self._sql = sql
        self._clause_index = clause_index(sql)
        self._skips = skips

    def statement(self) -> str:
        """The statement with the clause that asks for positions, or to go on behind this one."""
        clause = " with seq" if self.value is None else f" since {self.value}"
        return self._sql[: self._clause_index] + clause + self._sql[self._clause_index :]

    def is_unknown(self, error: RefusedError) -> bool:
        """Whether a server said no because it does not know the clause. Other errors have a code, or are in the
        statement."""
        return error.code is None and (error.index is None or error.index >= self._clause_index)

    def agreed(self, seq: Optional[int], resync: bool) -> bool:
        """The answer to statement(); without `seq` from a server that has no positions. Whether it goes on where it was."""
        goes_on = seq is not None and self.value is not None and not resync
        if not goes_on:
            self.value = seq if self._skips else None
        return goes_on

    def passed(self, change: Change) -> None:
        if change.action == "gap" and not self._skips:
            self.value = None
        elif change.snapshot_end or self.value is not None:
            self.value = self.value if change.seq is None else change.seq
