"""Executes the examples of docs/sql.md, in order, on one server, and compares what the page says with what comes.

Lines that begin with `pubsubsql> ` are statements for the command line program, those that begin with `> ` are sent as
text; what follows such a line is its output. `--write` puts what comes into the page instead.
"""

import os
import re
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.server_process import ServerProcess

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sql.md"
INDENT = "    "
DEADLINE_SECONDS = 30
MARKER = "a mark between two statements"


def blocks(lines):
    """The indented blocks that hold statements, as (first line, line behind the last)."""
    at = 0
    while at < len(lines):
        if not lines[at].startswith(INDENT):
            at += 1
            continue
        end = at
        while end < len(lines) and lines[end].startswith(INDENT):
            end += 1
        if re.match(r"(pubsubsql)?> ", lines[at][len(INDENT):]):
            yield at, end
        at = end


class CommandLine:
    prompt = "pubsubsql> "

    @staticmethod
    def outputs(server, statements):
        """What the program prints for each statement of one script."""
        mark = f"select '{MARKER}' as mark;"
        script = "".join(f"{s}\n{mark}\n" for s in statements)
        done = subprocess.run(
            [os.environ["PUBSUBSQL_CLI"], "--port", str(server.port), "--format", "table", "--force"],
            input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_SECONDS)
        lines = done.stdout.splitlines()
        out = [[]]
        at = 0
        while at < len(lines):
            if at + 1 < len(lines) and lines[at].startswith("+") and lines[at + 1].split() == ["|", "mark", "|"]:
                out.append([])
                at += len(["line", "mark", "line", MARKER, "line", "1 row"])
                continue
            out[-1].append(re.sub(r"^stdin:\d+: ", "", lines[at]))
            at += 1
        return out[:-1]


class TextMode:
    prompt = "> "

    @staticmethod
    def outputs(server, statements):
        """The reply to each statement and the events that come with it: all on one connection, and so in order."""
        out = []
        with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS) as connection:
            stream = connection.makefile("rw", newline="\n")
            for statement in statements:
                stream.write(f"{statement}\nselect '{MARKER}' as mark\n")
                stream.flush()
                lines = []
                while MARKER not in (line := stream.readline()):
                    lines.append(line.rstrip("\n"))
                out.append(lines)
        return out


def executed(server, block):
    """The block as it has to read."""
    by = CommandLine if block[0].startswith(CommandLine.prompt) else TextMode
    statements = [line[len(by.prompt):] for line in block if line.startswith(by.prompt)]
    out = []
    for statement, output in zip(statements, by.outputs(server, statements), strict=True):
        out.append(by.prompt + statement)
        out.extend(output)
    return out


def run_page(server):
    lines = PAGE.read_text().splitlines()
    new = list(lines)
    for first, last in reversed([(b, executed(server, [l[len(INDENT):] for l in lines[b[0]:b[1]]]))
                                 for b in blocks(lines)]):
        new[first[0]:first[1]] = [(INDENT + line).rstrip() for line in last]
    return lines, new


class Page(unittest.TestCase):
    maxDiff = None

    def test_every_example_gives_what_the_page_says(self):
        with ServerProcess() as server:
            said, came = run_page(server)
        self.assertEqual(said, came)


if __name__ == "__main__":
    if "--write" in sys.argv:
        with ServerProcess() as running:
            PAGE.write_text("\n".join(run_page(running)[1]) + "\n")
    else:
        unittest.main()
