"""A PostgreSQL server of the benchmark's own: no network, nothing of it left running.

It listens on a socket in its folder alone. PostgreSQL refuses to run as root: then it runs as
`postgres` or `nobody`, below /var/tmp, since root's cache is closed to them. RECKON_TEST_PGBIN names
the folder of another version's programs, as for the tests.
"""

import os
import pwd
import shutil
import sys
import time
import urllib.parse
from pathlib import Path

from process import must, say

# Everything else, how far queries run in parallel above all, is as PostgreSQL has it by default.
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "shared_buffers": "1GB",
    "work_mem": "256MB",
    "effective_cache_size": "8GB",
    "max_wal_size": "8GB",
    # What is loaded into a new table need not go through the log as well.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # The tables never change: nothing may be cleaned while something is measured.
    "autovacuum": "off",
    # A process less that could start late and be taken for a session.
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
}
USER = "postgres"


def programs():
    """The folder of the server's programs."""
    named = os.environ.get("RECKON_TEST_PGBIN")
    if named:
        return Path(named)
    installed = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin")
                 if folder.parent.name.isdigit() and (folder / "initdb").exists()]
    if installed:
        return max(installed, key=lambda folder: int(folder.parent.name))
    found = shutil.which("initdb")
    if not found and shutil.which("pg_config"):
        found = shutil.which("initdb", path=must("pg_config", "--bindir").strip())
    if not found:
        sys.exit("no PostgreSQL server found: install version 14 or later, so that initdb is in PATH or below "
                 "/usr/lib/postgresql (Debian: postgresql), or leave out the scenes that need it")
    return Path(found).resolve().parent


def base(cache):
    """Where clusters are kept."""
    return cache / "postgres" if os.geteuid() else Path("/var/tmp/reckon-bench")


class Server:
    """A cluster in `folder`, made where there is none, that runs within `with`."""

    def __init__(self, folder):
        self.folder, self.data, self.programs = folder, folder / "data", programs()
        self.version = must(str(self.programs / "postgres"), "--version").split()[2]
        self.account = self._account()
        self.environment = {**os.environ, "PGHOST": str(folder), "PGPORT": SETTINGS["port"], "PGUSER": USER,
                            "PGDATABASE": "postgres", "PGCONNECT_TIMEOUT": "10"}
        where = urllib.parse.quote(str(folder))
        self.url = f"postgres://{USER}@/postgres?host={where}&port={SETTINGS['port']}"

    @staticmethod
    def _account():
        if os.geteuid():
            return {}
        for name in (USER, "nobody"):
            try:
                found = pwd.getpwnam(name)
            except KeyError:
                continue
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
        sys.exit("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")

    def _as_server(self, program, *arguments):
        return must(str(self.programs / program), "--pgdata", str(self.data), *arguments, cwd=self.folder,
                    **self.account)

    def __enter__(self):
        if not (self.data / "PG_VERSION").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True, mode=0o755)
            if self.account:
                os.chown(self.folder, self.account["user"], self.account["group"])
            self._as_server("initdb", "--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C")
        if (self.data / "postmaster.pid").exists():
            say("stopping the server that an earlier run left")
            try:
                self.stop()
            except SystemExit:
                pass  # the file alone was left: the server sees to that when it starts
        settings = {**SETTINGS, "unix_socket_directories": self.folder}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        # The log goes to a file, as what pg_ctl inherits stays open as long as the server runs.
        self._as_server("pg_ctl", "--log", str(self.folder / "server.log"), "--wait", "--timeout", "120",
                        "--options", options, "start")
        self.pid = int((self.data / "postmaster.pid").read_text().split()[0])
        self.idle = self._children()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._as_server("pg_ctl", "--wait", "--timeout", "120", "--mode", "fast", "stop")

    def psql(self, *arguments):
        """The command of a psql that stops at the first error."""
        return [str(self.programs / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", *arguments]

    def ask(self, *arguments):
        return must(*self.psql(*arguments), env=self.environment).strip()

    def _children(self):
        return len(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())

    def processor(self):
        """Processor seconds of all sessions that have ended, parallel workers included."""
        patience = time.monotonic() + 5
        while self._children() > self.idle and time.monotonic() < patience:
            time.sleep(0.005)  # a session ends a moment after its program
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def served(self, program):
        """`program()`, with what the server did for it."""
        before = self.processor()
        done = program()
        done.server = self.processor() - before
        return done
