"""Documentation that names things of the code must name all of them."""

from service_process import REPOSITORY

from service.app import create_app
from service.settings import Settings


def test_every_setting_is_documented_with_its_default() -> None:
    text = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"| `MATINEE_{name.upper()}` | `{field.default}` |" in text


def test_every_endpoint_is_documented() -> None:
    documented = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    paths = create_app(Settings()).openapi()["paths"]
    assert paths
    for path in paths:
        assert path in documented


def test_the_readme_names_both_commands_and_the_citation() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "$ make serve" in text
    assert "$ make test" in text
    assert "10.1145/2827872" in text
