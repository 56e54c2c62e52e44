"""An OpenSearch node of our own, from the installed program: in the state folder, on loopback, without a password."""

from __future__ import annotations

import shutil
from pathlib import Path

from stack.programs import Program, ProgramMissing, account_other_than_root, give_to, run_program
from stack.settings import StackSettings

__all__ = ["find_opensearch", "opensearch_program", "opensearch_url", "run"]

PACKAGED_HOME = Path("/usr/share/opensearch")
"""Where its Debian and RPM packages put it; they leave PATH alone."""
HEAP = "-Xms512m -Xmx512m"


def find_opensearch() -> Path:
    """The folder that it is installed in, with bin/opensearch; raises ProgramMissing."""
    on_path = shutil.which("opensearch")
    home = Path(on_path).resolve().parent.parent if on_path is not None else PACKAGED_HOME
    if not (home / "bin" / "opensearch").exists():
        raise ProgramMissing(
            f"OpenSearch is not installed (not in PATH and not in {PACKAGED_HOME}; opensearch.org has packages of it)"
        )
    return home


def opensearch_url(port: int) -> str:
    """Where our node answers."""
    return f"http://127.0.0.1:{port}"


def opensearch_program(home: Path, state_dir: Path, port: int) -> Program:
    """A node alone; data, logs and a copy of its configuration in <state>/opensearch. Raises ProgramMissing."""
    account = account_other_than_root("OpenSearch", "opensearch")
    folder = state_dir.resolve() / "opensearch"
    give_to(account, folder)
    config = folder / "config"
    give_to(account, config)
    for name in ("jvm.options", "log4j2.properties"):
        shutil.copyfile(home / "config" / name, config / name)
    # A node without the plugin refuses its setting.
    secured = (home / "plugins" / "opensearch-security").exists()
    (config / "opensearch.yml").write_text(
        f"cluster.name: marquee\ndiscovery.type: single-node\nnetwork.host: 127.0.0.1\nhttp.port: {port}\n"
        f"path.data: {folder / 'data'}\npath.logs: {folder / 'logs'}\n"
        + ("plugins.security.disabled: true\n" if secured else "")
    )
    environment = {"OPENSEARCH_PATH_CONF": str(config), "OPENSEARCH_JAVA_OPTS": HEAP}
    return Program((str(home / "bin" / "opensearch"),), account=account, environment=environment)


def run() -> None:
    """Run the node until SIGTERM; its exit code becomes ours."""
    settings = StackSettings.load()
    run_program(opensearch_program(find_opensearch(), settings.shared.state_dir, settings.opensearch_port))
