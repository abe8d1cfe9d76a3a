"""Certificates made for one test, with the openssl program."""

import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@dataclass
class Pair:
    certificate: str
    key: str


class Authority:
    """A CA in a directory of its own, and the certificates that it has issued. Use it in a `with`."""

    def __init__(self, name: str = "Test CA"):
        self._directory = tempfile.TemporaryDirectory()
        self.path = Path(self._directory.name)
        self.certificate = str(self.path / "ca.pem")
        self._made = 0
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                 "-keyout", self.path / "ca.key", "-out", self.certificate, "-subj", f"/CN={name}")

    def issue(self, name: str, days: int = 365, alternatives: str = "DNS:localhost,IP:127.0.0.1",
              rsa: bool = False) -> Pair:
        """With a negative number of days, one that has expired."""
        self._made += 1
        stem = self.path / f"{self._made}"
        key, request, certificate = (stem.with_suffix(s) for s in (".key", ".csr", ".pem"))
        kind = ("rsa:2048",) if rsa else ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        _openssl("req", "-newkey", *kind, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        extensions = stem.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={alternatives}\n", encoding="ascii")
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.path / "ca.key",
                 "-set_serial", str(1000 + self._made), "-days", str(days), "-extfile", extensions,
                 "-out", certificate)
        key.chmod(0o600)
        return Pair(str(certificate), str(key))

    def client_context(self, pair: Pair | None = None) -> ssl.SSLContext:
        """What trusts this CA, and shows the certificate of `pair`."""
        context = ssl.create_default_context(cafile=self.certificate)
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        return context

    def __enter__(self) -> "Authority":
        return self

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()
