"""Health check of the service's image."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from service_process import REPOSITORY

SCRIPT = REPOSITORY / "deploy" / "docker" / "healthcheck.py"


def exit_code(port: int) -> int:
    environment = os.environ | {"MATINEE_PORT": str(port)}
    command = [sys.executable, "-SE", str(SCRIPT)]
    return subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False).returncode


@pytest.mark.parametrize(("status", "expected"), [(200, 0), (503, 1)])
def test_the_image_is_healthy_exactly_if_the_service_is_ready(status: int, expected: int) -> None:
    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            assert exit_code(server.server_port) == expected
        finally:
            server.shutdown()
            thread.join()


def test_the_image_is_unhealthy_if_nothing_listens() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    assert exit_code(port) == 1
