import pytest

from training.data.html_entities import without_entities


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Rock &amp; Roll", "Rock & Roll"),
        ("&quot;It&#039;s&#x21;&quot;", '"It\'s!"'),
        ("R&B, AT&T; &not here", "R&B, AT&T; &not here"),
    ],
)
def test_entities_become_characters(text: str, plain: str) -> None:
    assert without_entities(text) == plain
