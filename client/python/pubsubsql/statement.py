"""What a client has to know of a statement, which the server alone understands."""

from __future__ import annotations

import re
from typing import Iterator, List, NamedTuple, Optional, Tuple

_BLANK = re.compile(r"(?:\s+|--[^\n]*|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^']|'')*'?|`(?:[^`]|``)*`?", re.DOTALL)
_PUNCTUATION = re.compile(r"[,()*]")
# A name, or a bare value with its operators: a quote begins a text, but not inside a word.
_BARE = re.compile(r"(?:[^\s,()'`]|(?<=\w)')+")
_WORD = re.compile(r"[A-Za-z]*")
_NAME = re.compile(r"\w*")
_AGGREGATES = frozenset(["count", "sum", "min", "max", "avg"])


class _Token(NamedTuple):
    text: str
    depth: int  # of parentheses
    end: int  # the index behind it

    def is_word(self, *words: str) -> bool:
        return self.text.lower() in words

    @property
    def name(self) -> str:
        if self.text.startswith("`"):
            return self.text[1:-1].replace("``", "`")
        return self.text[:-1] if self.text.endswith(";") else self.text


class SubscriptionShape(NamedTuple):
    """What a subscribe statement subscribes to."""

    table: Optional[str]
    group_columns: Optional[int]
    """How many leading columns tell groups apart; None when it is about rows of the table."""
    skips: bool
    """Whether it has no rows at its start."""
    positioned: bool
    """Whether it has a clause `with seq`, `since` or `as`."""


def _skip_blank(sql: str, at: int) -> int:
    found = _BLANK.match(sql, at)
    return found.end() if found else at


def _tokens(sql: str) -> Iterator[_Token]:
    depth = 0
    at = _skip_blank(sql, 0)
    while at < len(sql):
        found = _QUOTED.match(sql, at) or _PUNCTUATION.match(sql, at) or _BARE.match(sql, at)
        text = found.group() if found else sql[at]
        depth -= text == ")"
        at += len(text)
        yield _Token(text, depth, at)
        depth += text == "("
        at = _skip_blank(sql, at)


def _word_at(sql: str, at: int) -> Tuple[str, int]:
    """The next word in small letters, and where it ends."""
    at = _skip_blank(sql, at)
    found = _WORD.match(sql, at)
    return (found.group().lower(), found.end()) if found else ("", at)


def _quoted_verb(sql: str, at: int) -> str:
    """That of the statement in the quotes at a place."""
    at = _skip_blank(sql, at)
    return _word_at(sql, at + 1)[0] if sql.startswith("'", at) else ""


def first_word(sql: str) -> str:
    """In small letters."""
    return _word_at(sql, 0)[0]


def verb_of(sql: str) -> str:
    """What a statement does: its first word in small letters; of `execute immediate '...'`, that of the statement inside."""
    verb, at = _word_at(sql, 0)
    if verb == "execute":
        second, at = _word_at(sql, at)
        if second == "immediate":
            return _quoted_verb(sql, at)
    return verb


def prepared_verb_of(sql: str) -> str:
    """That of the statement inside `prepare NAME from '...'`; empty if this is none."""
    verb, at = _word_at(sql, 0)
    if verb != "prepare":
        return ""
    at = _skip_blank(sql, at)
    name = (_QUOTED if sql.startswith("`", at) else _NAME).match(sql, at)
    _, at = _word_at(sql, name.end() if name else at)
    return _quoted_verb(sql, at)


def begins_transaction(sql: str) -> bool:
    return verb_of(sql) in ("begin", "start")


def ends_transaction(sql: str) -> bool:
    return verb_of(sql) in ("commit", "rollback")


def _from_index(tokens: List[_Token]) -> Optional[int]:
    """Where the keyword `from` stands, as opposed to a column of that name."""
    for i in range(2, len(tokens) - 1):
        if tokens[i].depth != 0 or not tokens[i].is_word("from"):
            continue
        if i == 2 and tokens[1].is_word("skip"):
            if not tokens[3].is_word("from"):
                return i
        elif not tokens[i - 1].is_word(",", "as"):
            return i
    return None


def _group_columns(rest: List[_Token]) -> int:
    top = [token for token in rest if token.depth == 0]
    for i in range(len(top) - 1):
        if top[i].is_word("group") and top[i + 1].is_word("by"):
            break
    else:
        return 0
    count = 1
    for token in top[i + 2 :]:
        if token.is_word("order", "limit", "on"):
            break
        count += token.text == ","
    return count


def _names_position(rest: List[_Token]) -> bool:
    top = [token for token in rest if token.depth == 0]
    for clause, token in zip(top, top[1:]):
        value = token.text.rstrip(";").lower()
        if clause.is_word("with") and value == "seq":
            return True
        if clause.is_word("as") and re.match(r"[^\W\d]|`", token.text):
            return True
        if clause.is_word("since") and (value == "?" or value.isdigit()):
            return True
    return False


def shape_of(sql: str) -> SubscriptionShape:
    """Of a subscribe statement; without a table if the text is none."""
    tokens = list(_tokens(sql))
    at = _from_index(tokens)
    if at is None:
        return SubscriptionShape(None, None, False, False)
    groups = _group_columns(tokens[at + 2 :])
    aggregates = any(a.is_word(*_AGGREGATES) and b.text == "(" for a, b in zip(tokens[:at], tokens[1:at]))
    skips = at > 2 and tokens[1].is_word("skip") and tokens[2].text != ","
    positioned = _names_position(tokens[at + 2 :])
    return SubscriptionShape(tokens[at + 1].name, groups if groups or aggregates else None, skips, positioned)


def clause_index(sql: str) -> int:
    """Where a statement ends, before comments and `;` that follow it: one more clause goes there."""
    index = 0
    for token in _tokens(sql):
        kept = token.text if token.text[0] in "'`" else token.text.rstrip(";")
        if kept:
            index = token.end - len(token.text) + len(kept)
    return index


def unsubscribe_statement(table: str, pubsubid: str) -> str:
    name = table.replace("`", "``")
    return f"unsubscribe from `{name}` where pubsubid = {pubsubid}"


def auth_statement(user: str, password: str) -> str:
    quoted = ("'" + text.replace("'", "''") + "'" for text in (user, password))
    return "auth " + " ".join(quoted)
