"""Statements and their values as the server takes them."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Optional, Sequence, Union

from pubsubsql.errors import UsageError

Value = Union[str, int, float, bool, Decimal, datetime, date, time, None]
"""What a bound value can be. A datetime that knows its time zone is sent in UTC, another as it is."""

Values = Optional[Sequence[Value]]


def _number(value: Union[float, Decimal], position: int) -> str:
    if not math.isfinite(value):
        raise UsageError(f"value {position} is {value}, which SQL has not; use None or a text")
    return repr(value) if isinstance(value, float) else str(value)


def _datetime(value: datetime) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(timezone.utc).replace(tzinfo=None)
    return value.isoformat(" ")


def encode_value(value: Value, position: int) -> str:
    """One value as JSON; `position` counts from 1, for messages."""
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, (float, Decimal)):
        return _number(value, position)
    if isinstance(value, datetime):
        return json.dumps(_datetime(value))
    if isinstance(value, (date, time)):
        return json.dumps(value.isoformat())
    kind = type(value).__name__
    allowed = "str, int, float, bool, Decimal, dates, times and None"
    raise UsageError(f"value {position} is of type {kind}; values are {allowed}")


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(f"a statement or value is no valid Unicode: {error.reason} at {error.start}") from None


class Template:
    """A statement to be sent with values, perhaps many times."""

    def __init__(self, sql: str) -> None:
        self._beginning = '{"sql":' + json.dumps(sql, ensure_ascii=False) + ',"values":['

    def encode(self, values: Sequence[Value]) -> bytes:
        if isinstance(values, (str, bytes)):
            raise UsageError("the values of a statement are a list or tuple, one for each `?` in it")
        encoded = ",".join([encode_value(value, i) for i, value in enumerate(values, 1)])
        return _utf8(self._beginning + encoded + "]}")


def encode_statement(sql: str, values: Values) -> bytes:
    """What a frame has for a statement. Raises UsageError for values that cannot be sent."""
    return _utf8(sql) if values is None else Template(sql).encode(values)
