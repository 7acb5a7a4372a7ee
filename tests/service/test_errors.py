import re

from service import errors


def drawn() -> dict[str, int]:
    """Every name of the tree in the docstring with its status, its own or the one above's."""
    statuses: dict[int, int] = {}
    tree = {}
    for line in (errors.__doc__ or "").splitlines()[1:]:
        if found := re.match(r"^([│├└─ ]*)([A-Z]\w+)(?:\s+(\d{3})\b)?", line):
            depth = len(found[1])
            above = max((each for each in statuses if each < depth), default=0)
            statuses[depth] = int(found[3]) if found[3] else statuses[above]
            tree[found[2]] = statuses[depth]
    return tree


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    statuses = {each.__name__: each.status for each in classes if issubclass(each, errors.MatineeError)}
    assert drawn() == statuses
