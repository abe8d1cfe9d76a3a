"""The systemd unit is well-formed and confines the server. Arguments: the unit, and the program as built."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

UNIT, PROGRAM = sys.argv[1:3]

EXPOSURE_MAX = "15"  # tenths; systemd calls up to 4.9 OK, and a service without any of this has 9.6

CONFINED = {
    "DynamicUser": "yes",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service; ~@privileged @resources",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
}


def service() -> dict[str, str]:
    """The unit's section [Service]; what is there more than once with "; " between."""
    section = pathlib.Path(UNIT).read_text(encoding="utf-8").split("[Service]\n")[1].split("\n[")[0]
    found: dict[str, str] = {}
    for line in section.splitlines():
        if line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found[key] = f"{found[key]}; {value}" if key in found else value
    return found


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Service(unittest.TestCase):
    def test_what_confines_it(self) -> None:
        found = service()
        self.assertEqual({key: found.get(key) for key in CONFINED}, CONFINED)

    def test_it_is_given_the_time_to_stop_and_is_started_again(self) -> None:
        found = service()
        self.assertEqual((found["Restart"], found["KillSignal"]), ("on-failure", "SIGTERM"))
        self.assertEqual(found["ExecReload"], "/bin/kill -HUP $MAINPID")
        flags = subprocess.run([PROGRAM, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        defaults = {f: re.search(rf"--{f} UINT[^=\n]*=(\d+)", flags) for f in ("stop-grace-ms", "mysql-timeout-ms")}
        waits_ms = sum(int(d[1]) for d in defaults.values() if d is not None)
        self.assertGreater(waits_ms, 0)
        self.assertGreater(int(found["TimeoutStopSec"]) * 1000, waits_ms)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd here")
    def test_systemd_understands_it(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            unit = pathlib.Path(directory) / "pubsubsqld.service"
            unit.write_text(pathlib.Path(UNIT).read_text().replace("/usr/bin/pubsubsqld", PROGRAM))
            verified = systemd_analyze("verify", "--man=no", "--recursive-errors=no", str(unit))
            self.assertEqual((verified.returncode, verified.stdout), (0, ""))
            judged = systemd_analyze("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX}", str(unit))
            self.assertEqual(judged.returncode, 0, judged.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
