"""What docker-compose.yml mounts as secrets: passwords, addresses that hold them, signing keys; made once, as files.

The containers run as users of their own, so the files are readable; the folder is what keeps others on this machine
out. What is there already stays: running this again after an update adds what is new.
"""

from __future__ import annotations

from pathlib import Path

from common.tokens import ensure_key_file
from media_pipeline.kernel.media_token import MediaTokenKeys
from media_pipeline.licensing.adapters.master_key import FileKeyWrapper
from stack.passwords import password_in
from stack.postgres import DATABASES as POSTGRES_DATABASES

__all__ = ["make_secrets"]

MONGODB_DATABASES = ("titles", "playback")


def make_secrets(folder: Path) -> list[str]:
    """Names of the files that were added; the folder is closed to everybody else. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    before = set(folder.iterdir())
    postgres, mongodb, redis = (password_in(folder / f"{name}_password") for name in ("postgres", "mongodb", "redis"))
    contents = {
        "valkey_url": f"redis://:{redis}@redis:6379/0",
        "redis.conf": f"requirepass {redis}\n",
        **{
            f"{name}_database_url": f"postgresql+asyncpg://marquee:{postgres}@postgres/{name}"
            for name in POSTGRES_DATABASES
        },
        **{
            f"{name}_store_url": f"mongodb://marquee:{mongodb}@mongodb/{name}?authSource=admin"
            for name in MONGODB_DATABASES
        },
    }
    for name, text in contents.items():
        if not (folder / name).exists():
            (folder / name).write_text(text)
    for name in ("access", "viewer", "playback", "mail"):
        ensure_key_file(folder / f"{name}.pem")
    MediaTokenKeys.load_or_create(folder / "media-token.json")
    FileKeyWrapper.load_or_create(folder / "master.key")
    added = sorted(set(folder.iterdir()) - before)
    for path in added:
        path.chmod(0o444)
    return [path.name for path in added]
