"""`matinee serve`, or `python -m service`: serves the live bundle of `MATINEE_ARTIFACTS` over HTTP."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.arguments import option, parse_arguments
from service.environment import unknown_variables
from service.errors import BundleError, StoreError, StoreRefused
from service.processes.listening import reserve
from service.secrets_directory import SECRETS_VARIABLE, secrets_directory
from service.settings import SECRET, Settings

_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main(arguments: Sequence[str] | None = None, program: str = "python -m service") -> None:
    """Reads the settings, takes the port, serves until SIGTERM or SIGINT.

    Args:
        arguments: Without the program; None: of this process.
        program: How it is called, for the help.

    Raises:
        SystemExit: 0 after a signal; 1 where the address cannot be had, or the bundle not be served; 2 where
            a setting is wrong.
    """
    options, given = parse_arguments(sys.argv[1:] if arguments is None else arguments, program)
    if sys.stdout.isatty() and not os.environ.get("MATINEE_LOG_FORMAT"):
        given.setdefault("log_format", "text")
    settings = _read_settings(given)
    if options.verify:  # also of a training, at its end: too late to complain of variables
        _verify(options.verify, settings)
        return
    _refuse_unknown_variables()
    reserved = _take_port(settings)
    _check_store(settings)
    if options.check:
        return
    if settings.tracing != "off" and not find_spec("opentelemetry.sdk"):
        _complain(
            "MATINEE_TRACING=otlp needs more packages: pip install -r requirements/tracing.txt, or unset it"
        )
        sys.exit(2)
    # numpy's BLAS reads these once, when numpy is imported: so none of what needs it is imported before.
    for variable in _BLAS_THREADS:
        os.environ.setdefault(variable, str(settings.blas_threads))
    from service.processes.supervised_service import run_service  # noqa: PLC0415 imports numpy, see above

    run_service(settings, reserved)


def _check_store(settings: Settings) -> None:
    """Whether feedback may be kept where it is to be; where it can not be now, the service tries again."""
    from service.live.migration import check_schema  # noqa: PLC0415 --help does without
    from service.live.opening import database_of  # noqa: PLC0415 as above

    try:
        database = database_of(settings.store)
        if database is not None:
            check_schema(database)
    except StoreRefused as error:
        _complain(f"MATINEE_STORE: {error}")
        sys.exit(2)
    except StoreError as error:
        _complain(f"{error}; serving without feedback until it can be used")


def _verify(bundle: Path, settings: Settings) -> None:
    from service.loading import load_recommender  # noqa: PLC0415 imports numpy, see above

    try:
        load_recommender(bundle.absolute(), settings)
    except BundleError as error:
        _complain(f"{type(error).__name__}: {error}")
        sys.exit(1)


def _refuse_unknown_variables() -> None:
    unknown = unknown_variables()
    for line in unknown:
        _complain(line)
    if unknown:
        sys.exit(2)


def _read_settings(given: dict[str, Any]) -> Settings:
    secrets = secrets_directory()
    if SECRETS_VARIABLE in os.environ and not secrets.is_dir():
        _complain(f"{SECRETS_VARIABLE}={secrets}: expected a directory of files such as matinee_api_keys")
        sys.exit(2)
    try:
        return Settings(_secrets_dir=secrets if secrets.is_dir() else None, **given)
    except ValidationError as error:
        for each in error.errors():
            name = "_".join(map(str, each["loc"]))
            value = "***" if name in SECRET else each["input"]
            place, way_out = (
                (f"{option(name)} ", "leave it out")
                if name in given
                else (f"MATINEE_{name.upper()}=", "unset it")
            )
            _complain(f"{place}{value}: {each['msg']}; set it to another value, or {way_out}")
        sys.exit(2)


def _take_port(settings: Settings) -> socket.socket:
    try:
        return reserve(settings.host, settings.port)
    except OSError as error:
        _complain(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; "
            "stop what is using it, or choose a free one with --port, MATINEE_PORT or make serve PORT=..."
        )
        sys.exit(1)


def _complain(message: str) -> None:
    sys.stderr.write(f"service: {message}\n")


if __name__ == "__main__":
    main()
