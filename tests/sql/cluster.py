"""A PostgreSQL of its own in a temporary directory, reachable by its Unix socket only, gone at the end."""

import glob
import os
import shutil
import subprocess
import tempfile

# Durability plays no part in a race. The shortest deadlock check there is keeps the run short.
SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "deadlock_timeout": "1ms",
    "shared_buffers": "32MB",
    "max_connections": "10",
}


def _binaries():
    found = os.environ.get("POSTGRES_BIN") or os.path.dirname(shutil.which("initdb") or "")
    candidates = [found] if found else sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]))
    if not candidates:
        raise SystemExit("no PostgreSQL server found: install postgresql, or set POSTGRES_BIN to the directory of initdb")
    return candidates[-1]


class Cluster:
    """`with Cluster() as options:` gives the connection options of a fresh server."""

    def __enter__(self):
        self._bin = _binaries()
        self._home = tempfile.mkdtemp(prefix="zas-sql-race-")
        # PostgreSQL refuses to run as root.
        self._user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        if self._user:
            shutil.chown(self._home, "postgres", "postgres")
        try:
            self._run("initdb", "-D", f"{self._home}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            with open(f"{self._home}/data/postgresql.conf", "a", encoding="ascii") as file:
                file.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
                file.write(f"unix_socket_directories = '{self._home}'\n")
            self._run("pg_ctl", "-D", f"{self._home}/data", "-l", f"{self._home}/log", "-w", "start")
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise
        return f"host={self._home} user=postgres dbname=postgres"

    def __exit__(self, *_):
        self._run("pg_ctl", "-D", f"{self._home}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, program, *arguments):
        done = subprocess.run(
            [f"{self._bin}/{program}", *arguments], cwd=self._home, text=True, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT, **self._user,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed with {done.returncode}: {done.stdout or ''}")
