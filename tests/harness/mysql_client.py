"""A connection to MariaDB by its C library: one call a statement, rows as texts, errors by their numbers."""

import ctypes
import ctypes.util
from typing import NamedTuple

from harness.mariadb import MariadbError

_library: ctypes.CDLL | None = None


def _load() -> ctypes.CDLL:
    global _library
    if _library is None:
        library = ctypes.CDLL(ctypes.util.find_library("mariadb") or "libmariadb.so.3")
        pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint
        signatures = {
            "mysql_init": (pointer, [pointer]),
            "mysql_close": (None, [pointer]),
            "mysql_errno": (number, [pointer]),
            "mysql_error": (text, [pointer]),
            "mysql_real_connect": (pointer, [pointer, text, text, text, text, number, text, ctypes.c_ulong]),
            "mysql_real_query": (ctypes.c_int, [pointer, text, ctypes.c_ulong]),
            "mysql_store_result": (pointer, [pointer]),
            "mysql_free_result": (None, [pointer]),
            "mysql_num_fields": (number, [pointer]),
            "mysql_affected_rows": (ctypes.c_ulonglong, [pointer]),
            "mysql_fetch_row": (ctypes.POINTER(ctypes.c_void_p), [pointer]),
            "mysql_fetch_lengths": (ctypes.POINTER(ctypes.c_ulong), [pointer]),
        }
        for name, (result, arguments) in signatures.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
        _library = library
    return _library


class Answer(NamedTuple):
    """What a statement came to. `code` is 0 when it succeeded; `rows` is None when it has no result."""

    code: int
    message: str
    rows: list[list[str | None]] | None
    count: int


class MysqlClient:
    """A connection as root by the server's socket, in UTF-8."""

    def __init__(self, socket_path: str, database: str):
        self.library = _load()
        self.handle = self.library.mysql_init(None)
        connected = self.library.mysql_real_connect(
            self.handle, None, b"root", b"", database.encode(), 0, socket_path.encode(), 0
        )
        if not connected:
            raise MariadbError(self.library.mysql_error(self.handle).decode())

    def close(self) -> None:
        self.library.mysql_close(self.handle)

    def ask(self, statement: str) -> Answer:
        encoded = statement.encode()
        if self.library.mysql_real_query(self.handle, encoded, len(encoded)) != 0:
            return self._failure()
        result = self.library.mysql_store_result(self.handle)
        if not result:
            if self.library.mysql_errno(self.handle) != 0:
                return self._failure()
            return Answer(0, "", None, self.library.mysql_affected_rows(self.handle))
        rows: list[list[str | None]] = []
        fields = range(self.library.mysql_num_fields(result))
        while row := self.library.mysql_fetch_row(result):
            lengths = self.library.mysql_fetch_lengths(result)
            rows.append([None if row[i] is None else ctypes.string_at(row[i], lengths[i]).decode() for i in fields])
        self.library.mysql_free_result(result)
        return Answer(0, "", rows, len(rows))

    def _failure(self) -> Answer:
        code = self.library.mysql_errno(self.handle)
        return Answer(code, self.library.mysql_error(self.handle).decode(errors="replace"), None, 0)

    def run(self, statement: str) -> Answer:
        """As ask(), for a statement that has to succeed."""
        answer = self.ask(statement)
        if answer.code != 0:
            raise MariadbError(f"{answer.message}: {statement}")
        return answer
