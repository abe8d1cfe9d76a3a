"""The programs as built have the protections of cmake/hardening.cmake. Arguments: the programs."""

import os
import re
import subprocess
import sys
import unittest

PROGRAMS = sys.argv[1:]


def readelf(option: str, program: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(["readelf", "-W", option, program], check=True, capture_output=True, text=True, env=environment).stdout


class Hardening(unittest.TestCase):
    def each(self, option: str) -> list[str]:
        self.assertTrue(PROGRAMS)
        return [readelf(option, program) for program in PROGRAMS]

    def test_addresses_differ_at_each_start(self) -> None:
        for header, dynamic in zip(self.each("-h"), self.each("-d")):
            self.assertRegex(header, r"Type:\s+DYN")
            self.assertRegex(dynamic, r"FLAGS_1\).*\bPIE\b")

    def test_what_is_relocated_is_read_only_afterwards(self) -> None:
        for segments, dynamic in zip(self.each("-l"), self.each("-d")):
            self.assertIn("GNU_RELRO", segments)
            self.assertRegex(dynamic, r"FLAGS_1\).*\bNOW\b")

    def test_nothing_is_writable_and_executable(self) -> None:
        for segments in self.each("-l"):
            self.assertRegex(segments, r"GNU_STACK .* RW +0x")
            self.assertIsNone(re.search(r"^ .* RWE +0x", segments, re.MULTILINE), segments)

    def test_stacks_and_copies_are_checked(self) -> None:
        for symbols in self.each("--dyn-syms"):
            self.assertIn("__stack_chk_fail", symbols)
            self.assertRegex(symbols, r"__\w+_chk\b")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
