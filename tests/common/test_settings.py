"""Settings come from the environment, and a typing error never silently means the default."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Self

import pytest
from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from common.settings import ProcessSettings, SettingsInvalid, SharedSettings, check_unclaimed


class OvenSettings(ProcessSettings):
    """Of a process that exists in this test only."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_OVEN_")

    port: int = 4999
    degrees: int = 180


def test_reads_its_own_and_the_shared_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own ones carry the process's prefix, shared ones do not."""
    monkeypatch.setenv("MARQUEE_OVEN_DEGREES", "200")
    monkeypatch.setenv("MARQUEE_STATE_DIR", "/srv/marquee")
    settings = OvenSettings.load()
    assert settings.degrees == 200
    assert settings.shared.viewer_jwks_path == Path("/srv/marquee/keys/viewer.jwks.json")


def test_an_unknown_variable_is_refused_with_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable and what was probably meant."""
    monkeypatch.setenv("MARQUEE_OVEN_DEGRES", "200")
    with pytest.raises(SettingsInvalid, match=r"MARQUEE_OVEN_DEGRES .* MARQUEE_OVEN_DEGREES\?"):
        OvenSettings.load()


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One run tells everything that is wrong, with the values seen."""
    monkeypatch.setenv("MARQUEE_OVEN_DEGREES", "hot")
    monkeypatch.setenv("MARQUEE_OVEN_PORT", "door")
    monkeypatch.setenv("MARQUEE_OVEN_COLOUR", "red")
    with pytest.raises(SettingsInvalid) as caught:
        OvenSettings.load()
    for part in ("MARQUEE_OVEN_DEGREES='hot'", "MARQUEE_OVEN_PORT='door'", "MARQUEE_OVEN_COLOUR"):
        assert part in str(caught.value)


def test_a_wrong_shared_variable_is_named_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads it: a process beside its own settings, or a command that needs no others."""
    monkeypatch.setenv("MARQUEE_LOG_LEVEL", "loud")
    for load in (OvenSettings.load, SharedSettings.load):
        with pytest.raises(SettingsInvalid, match=r"MARQUEE_LOG_LEVEL='LOUD': .*'DEBUG', 'INFO', 'WARNING' or 'ERROR'"):
            load()
    monkeypatch.setenv("MARQUEE_LOG_LEVEL", "debug")
    assert OvenSettings.load().shared.log_level == "DEBUG"


class CellarSettings(ProcessSettings):
    """With a secret, and a rule about two settings."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_CELLAR_")

    port: int = 4998
    store_url: SecretStr | None = None

    @model_validator(mode="after")
    def _check_both(self) -> Self:
        if self.port == 1:
            raise ValueError("port 1 needs no store")
        return self


@pytest.mark.parametrize(("port", "words"), [("1", "port 1 needs no store"), ("door", "MARQUEE_CELLAR_PORT='door'")])
def test_no_error_shows_a_secret(monkeypatch: pytest.MonkeyPatch, port: str, words: str) -> None:
    """Neither the message nor what a traceback shows behind it, also when the problem is not the secret's."""
    monkeypatch.setenv("MARQUEE_CELLAR_PORT", port)
    monkeypatch.setenv("MARQUEE_CELLAR_STORE_URL", "postgresql://marquee:hunter2@db/marquee")
    with pytest.raises(SettingsInvalid) as refused:
        CellarSettings.load()
    assert words in str(refused.value)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


def test_settings_do_not_change_after_they_are_read() -> None:
    """Frozen: two parts of a process never see different ones."""
    settings = OvenSettings(shared=SharedSettings(state_dir=Path("elsewhere")))
    with pytest.raises(ValidationError):
        setattr(settings, "degrees", 250)  # noqa: B010  # the type checker knows already


def test_a_variable_of_no_process_is_found() -> None:
    """By who starts everything: shared ones, those of known processes and those of tests are fine."""
    environment = {
        "MARQUEE_STATE_DIR": ".marquee",
        "MARQUEE_OVEN_DEGREES": "200",
        "MARQUEE_TEST_POSTGRES_URL": "postgresql://",
        "MARQUEE_VALKEY_URI": "redis://",
        "PATH": "/bin",
    }
    [problem] = check_unclaimed(environment)
    assert problem == "MARQUEE_VALKEY_URI belongs to no process; did you mean MARQUEE_VALKEY_URL?"


def test_a_setting_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Own and shared ones; an editor's last line end is no part of the value."""
    (tmp_path / "degrees").write_text("210\n")
    (tmp_path / "valkey").write_text("redis://:secret@cache/0")
    monkeypatch.setenv("MARQUEE_OVEN_DEGREES_FILE", str(tmp_path / "degrees"))
    monkeypatch.setenv("MARQUEE_VALKEY_URL_FILE", str(tmp_path / "valkey"))
    settings = OvenSettings.load()
    assert (settings.degrees, settings.shared.valkey_url) == (210, "redis://:secret@cache/0")
    assert check_unclaimed({"MARQUEE_VALKEY_URL_FILE": "x", "MARQUEE_OVEN_DEGREES_FILE": "x"}) == []


def test_a_file_that_can_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It never means the default."""
    monkeypatch.setenv("MARQUEE_OVEN_DEGREES_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingsInvalid, match=r"MARQUEE_OVEN_DEGREES_FILE='.*missing' can't be read: No such file"):
        OvenSettings.load()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("MARQUEE_OVEN_DEGREES_FILE", str(tmp_path / "binary"))
    with pytest.raises(SettingsInvalid, match="no UTF-8 text"):
        OvenSettings.load()
    monkeypatch.setenv("MARQUEE_VALKEY_URL_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingsInvalid, match="MARQUEE_VALKEY_URL_FILE="):
        SharedSettings.load()


def test_a_setting_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody has to know which one would win."""
    (tmp_path / "degrees").write_text("210")
    monkeypatch.setenv("MARQUEE_OVEN_DEGREES_FILE", str(tmp_path / "degrees"))
    monkeypatch.setenv("MARQUEE_OVEN_DEGREES", "200")
    with pytest.raises(SettingsInvalid, match="MARQUEE_OVEN_DEGREES and MARQUEE_OVEN_DEGREES_FILE are both set"):
        OvenSettings.load()


def test_an_unknown_file_variable_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_OVEN_DEGRES_FILE", "/run/secrets/degrees")
    with pytest.raises(SettingsInvalid, match=r"MARQUEE_OVEN_DEGRES_FILE .* MARQUEE_OVEN_DEGREES_FILE\?"):
        OvenSettings.load()
