"""Parameters that had another name before: that still works, with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def former_names(**now: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a method take former names too, each with a `DeprecationWarning`.

    Args:
        now: The name of a parameter by its former name. Type checkers know the former ones no more.

    Raises:
        TypeError: When the method is called with both.
    """

    def taking_them(method: Callable[P, R]) -> Callable[P, R]:
        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for former in now.keys() & kwargs.keys():
                name = now[former]
                if name in kwargs:
                    raise TypeError(
                        f"{method.__name__}() got {name!r} and its former name {former!r}: leave that out"
                    )
                what = f"{method.__name__}(): {former!r} is a former name, write {name!r}"
                warnings.warn(what, DeprecationWarning, stacklevel=2)
                kwargs[name] = kwargs.pop(former)
            return method(*args, **kwargs)

        return call

    return taking_them
