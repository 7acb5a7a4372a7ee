"""`python -m service`: serves the live bundle of `MATINEE_ARTIFACTS` over HTTP."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError

from service.app import create_app
from service.settings import Settings

BACKLOG = 2048


def main() -> None:
    """Reads the settings, takes the port, serves until SIGTERM or SIGINT.

    Raises:
        SystemExit: 0 after a signal; 1 where the address cannot be had; 2 where a setting is wrong.
    """
    variables = (
        f"  MATINEE_{name.upper()}={field.default}  {field.description}"
        for name, field in Settings.model_fields.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Serves recommendations over HTTP. It is set by environment variables:",
        epilog="\n".join(variables),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--check", action="store_true", help="only see whether the settings are right and the port is free"
    )
    check_only = parser.parse_args().check
    settings = _read_settings()
    listener = _listen(settings.host, settings.port)
    if check_only:
        return
    # After its graceful stop uvicorn raises the signal again, for whom it would end the process as killed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    address, port = listener.getsockname()[:2]
    host = f"[{address}]" if ":" in address else address
    logging.getLogger("service").info("serving %s on http://%s:%d", settings.artifacts, host, port)
    uvicorn.Server(config).run(sockets=[listener])


def _read_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        for each in error.errors():
            variable = "MATINEE_" + "_".join(map(str, each["loc"])).upper()
            _complain(f"{variable}={each['input']}: {each['msg']}; set it to another value, or unset it")
        sys.exit(2)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        _complain(
            f"cannot listen on {host} port {port}: {error.strerror}; "
            "stop what is using it, or set MATINEE_PORT (make serve PORT=...) to a free one"
        )
        sys.exit(1)


def _complain(message: str) -> None:
    sys.stderr.write(f"service: {message}\n")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
