"""Clients whose every statement has to succeed, whatever is done to the server meanwhile."""

from harness.mirror import pipeline, wait_until
from harness.server_process import ServerProcess
from harness.threads import Threads


class Writers(Threads):
    """Connections that write rows of their own, some statements at a time, and know what must be there."""

    def __init__(self, server: ServerProcess, count: int = 3, table: str = "t"):
        self.server = server
        self.table = table
        self.keys: list[set[str]] = [set() for _ in range(count)]
        self.values: list[dict[str, str]] = [{} for _ in range(count)]
        self.problems: list[str] = []
        super().__init__(self.run, list(range(count)))

    def run(self, number: int) -> None:
        try:
            with self.server.framed() as client:
                made = 0
                mine = self.values[number]
                while not self.stopping.is_set():
                    made += 1
                    key = f"w{number}-{made}"
                    statements = [
                        f"insert into {self.table} (k, v) values ({key}, 1)",
                        f"update {self.table} set v = {made} where k = {key}",
                        f"select * from {self.table} where k = {key}",
                    ]
                    if made % 3 == 0:
                        statements.append(f"delete from {self.table} where k = w{number}-{made - 1}")
                    replies = pipeline(client, statements)
                    for statement, reply in zip(statements, replies):
                        if reply["status"] != "ok" or reply["rows"] != 1:
                            self.problems.append(f"{statement}: {reply}")
                            return
                    row = dict(zip(replies[2]["columns"], replies[2]["data"][0]))
                    if row["v"] != str(made):
                        self.problems.append(f"{statements[2]}: {row}")
                    mine[key] = str(made)
                    if made % 3 == 0:
                        del mine[f"w{number}-{made - 1}"]
        except Exception as problem:  # noqa: BLE001
            self.problems.append(repr(problem))

    def written(self) -> int:
        return sum(len(v) for v in self.values)

    def wait_for(self, more: int) -> None:
        aim = self.written() + more
        wait_until(lambda: self.problems or self.written() >= aim)

    def expected(self) -> dict[str, str]:
        return {k: v for values in self.values for k, v in values.items()}
