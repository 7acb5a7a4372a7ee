from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from service.settings import Settings


def test_without_an_environment_the_service_listens_on_loopback_only() -> None:
    settings = Settings()
    assert (settings.artifacts, settings.host, settings.port) == (Path("artifacts"), "127.0.0.1", 8000)


def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "artifacts": Path("elsewhere"),
        "artifacts_cache": Path("copies"),
        "store": "elsewhere.sqlite3",
        "event_id_days": 3,
        "click_days": 4,
        "host": "::1",
        "port": 8123,
        "reload_seconds": 0.5,
        "shutdown_seconds": 3,
        "request_timeout_ms": 250,
        "queue_size": 9,
        "batch_size": 10,
        "index": "exact",
        "explore": 0.25,
        "cached_users": 12,
        "load_priority": "normal",
        "max_body_bytes": 2_048,
        "catalogue_threads": 4,
        "tensorflow_intra_op_threads": 5,
        "tensorflow_inter_op_threads": 6,
        "workers": 7,
        "blas_threads": 8,
        "log_level": "debug",
        "log_format": "text",
        "log_probes": False,
        "tracing": "otlp",
        "max_connections": 11,
        "drain_seconds": 3,
        "trusted_proxies": "10.0.0.5,fd00::/8",
        "receive_seconds": 1.5,
        "model_delay_ms": 11,
        "api_keys": SecretStr("three,four"),
        "admin_keys": SecretStr("one,two"),
        "write_keys": SecretStr("five"),
        "open": "metrics",
        "cors_origins": "https://a.example,http://b:8080",
    }
    for name, value in values.items():
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        monkeypatch.setenv(f"MATINEE_{name.upper()}", text)
    assert Settings().model_dump() == values


def test_the_former_name_of_the_user_cache_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_REMEMBERED_USERS", "12")
    assert Settings().cached_users == 12
    monkeypatch.setenv("MATINEE_CACHED_USERS", "13")
    assert Settings().cached_users == 13
    assert Settings(cached_users=14).cached_users == 14


def test_an_error_names_the_setting_and_not_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_CACHED_USERS", "-1")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [each["loc"] for each in caught.value.errors()] == [("cached_users",)]


def test_an_empty_variable_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_PORT", "")
    assert Settings().port == 8000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("RELOAD_SECONDS", "0"),
        ("RELOAD_SECONDS", "inf"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "balancer"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MATINEE_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc] # frozen: that is what is tested
