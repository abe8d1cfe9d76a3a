"""What a subscriber knows of a table when it replays what it is told."""

from typing import Any


class ReplayedRows:
    """Rows by id. Fails on anything that cannot be: a row that is there already, or is not."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def apply(self, event: dict[str, Any]) -> None:
        for values in event["data"]:
            row = dict(zip(event["columns"], values, strict=True))
            known = row["id"] in self.rows
            if event["action"] in ("add", "insert"):
                assert not known, f"{event['action']} of a row that is there: {row}"
                self.rows[row["id"]] = row
            elif event["action"] == "update":
                assert known, f"update of an unknown row: {row}"
                self.rows[row["id"]].update(row)
            else:
                assert known, f"{event['action']} of an unknown row: {row}"
                del self.rows[row["id"]]
