"""Rows: those of a reply, of an event, and those that a subscription leads to."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from pubsubsql.errors import UsageError

Cell = Optional[str]
"""A value as the server sends it: its text, or None for NULL."""

Row = Dict[str, Cell]
"""A row by the names of its columns."""

Key = Union[Cell, Tuple[Cell, ...]]
"""What tells a row of a subscription: its id. Groups are told by the value of the `group by` column, or by the tuple of
the values if there are several, or none."""


@dataclass
class RowSet:
    """Columns and rows. Iterating over it gives each row as a dict."""

    action: str
    columns: List[str] = field(default_factory=list)
    rows: int = 0
    """How many rows there are in `data`, or were changed."""
    data: List[List[Cell]] = field(default_factory=list, repr=False)

    def objects(self) -> List[Row]:
        return list(self)

    def __iter__(self) -> Iterator[Row]:
        for cells in self.data:
            yield dict(zip(self.columns, cells))

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return True


@dataclass
class Result(RowSet):
    """The answer to a statement."""

    members: Dict[str, Any] = field(default_factory=dict)
    """What else the server's reply has, such as the numbers of `status`."""


@dataclass
class Change(RowSet):
    """What a subscription tells.

    The actions `add`, `insert`, `update`, `remove` and `delete` are changes, as the server's dialect has them; an update
    has the columns that tell the row, and those that were set. `publish`: rows that were published and are stored
    nowhere; their `id` is None, and `rows` of the subscription has nothing of them.

    `gap`: the server left out `lost` events, as this client was too slow (`on slow drop`). `reset`: what came before is
    void; `reason` is "reconnect" when the connection was lost and made again, "resync" when it could not go on where it
    was, as the server has the changes since then no longer, "overflow" when the consumer was too slow for the queue.
    After both the rows come anew, as `add` (not with `subscribe skip`).
    """

    lost: int = 0
    reason: Optional[str] = None
    seq: Optional[int] = None
    """Of subscriptions with `resume`: the position in the changes of the table behind this one, which `since` takes. There
    is none where nothing can begin: in a `reset`, a `gap` that rows follow, and initial rows before the last of them."""
    snapshot_end: bool = False
    """Of subscriptions with `resume`: whether this is the last `add` of the initial rows; it may have no rows itself."""


def _ambiguous(problem: str) -> UsageError:
    return UsageError(
        f"{problem}; name the table's primary key in the argument `key` of subscribe(), or keep no rows with "
        "`keep_rows=False`"
    )


class LiveRows(Mapping[Key, Row]):
    """The rows of a subscription as its events leave them. A mapping that can be read from any thread: iterating, keys(),
    values() and items() are about the moment when they were called. Rows are never changed; an update puts a new dict in
    the place of the old one, so do not change them either."""

    def __init__(self, key: Optional[Sequence[str]], group_columns: Optional[int]) -> None:
        self._rows: Dict[Key, Row] = {}
        self._lock = threading.Lock()
        self._key = None if key is None else list(key)
        self._group_columns = group_columns
        self._columns: Dict[str, None] = {}
        # Whether rows that are there may be told once more, as `on slow conflate` does when a subscription goes on. Until
        # _clear().
        self._may_repeat = False

    def __getitem__(self, key: Key) -> Row:
        return self._rows[key]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.copy())

    def keys(self) -> Any:
        return self.copy().keys()

    def values(self) -> Any:
        return self.copy().values()

    def items(self) -> Any:
        return self.copy().items()

    def copy(self) -> Dict[Key, Row]:
        """The rows of this moment."""
        with self._lock:
            return self._rows.copy()

    def __repr__(self) -> str:
        return repr(self.copy())

    # For the subscription

    def _clear(self) -> None:
        self._may_repeat = False
        with self._lock:
            self._rows.clear()

    def _apply(self, change: Change) -> None:
        """Raises UsageError when the change does not tell which rows it is about, or two rows cannot be told apart."""
        if not change.data or change.action == "publish":
            return
        key_of = self._key_function(change.columns)
        self._columns.update(dict.fromkeys(change.columns))
        with self._lock:
            if change.action in ("add", "insert"):
                for cells in change.data:
                    self._enter(key_of(cells), dict(zip(change.columns, cells)))
            elif change.action == "update":
                for cells in change.data:
                    key = key_of(cells)
                    self._rows[key] = {**self._rows.get(key, {}), **dict(zip(change.columns, cells))}
            elif change.action in ("remove", "delete"):
                for cells in change.data:
                    self._rows.pop(key_of(cells), None)

    def _enter(self, key: Key, row: Row) -> None:
        """The server never enters a row that is there, so another one has its key. Groups cannot be mistaken."""
        if self._group_columns is None and not self._may_repeat and key in self._rows:
            names = ", ".join(self._key or ())
            raise _ambiguous(f"two rows have the same {names}, {key}")
        self._rows[key] = row

    def _snapshot(self) -> Change:
        """All rows as an `add` event has them."""
        columns = list(self._columns)
        data = [[row.get(column) for column in columns] for row in self.copy().values()]
        return Change("add", columns, len(data), data)

    def _key_function(self, columns: List[str]) -> Callable[[List[Cell]], Key]:
        if self._key is None:
            self._key = self._default_key(columns)
        missing = [name for name in self._key if name not in columns]
        if missing:
            raise _ambiguous(
                f"an event with the columns {', '.join(columns)} does not tell its rows by {', '.join(self._key)}"
            )
        at = [columns.index(name) for name in self._key]
        if len(at) == 1:
            only = at[0]
            return lambda cells: cells[only]
        return lambda cells: tuple(cells[i] for i in at)

    def _default_key(self, columns: List[str]) -> List[str]:
        if self._group_columns is not None:
            return columns[: self._group_columns]
        return ["id"] if "id" in columns else columns[:1]
