"""Run Firefox and drive it by Marionette, the protocol that it brings along: no driver program, no library.

Messages are `length:[type, id, name or error, parameters or result]` in JSON, on one TCP connection; see
https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html.
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PREFERENCES = {
    "marionette.port": 0,  # a free one, which it writes to MarionetteActivePort
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    # Whatever else it wants from other hosts goes to a port that is closed.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.allow_hijacking_localhost": False,
    "ui.prefersReducedMotion": 1,
    "layout.css.devPixelsPerPx": "1.3",  # so that the narrowest window, of 500 pixels, is a telephone's
}
_DARK = {"light": 1, "dark": 0}  # of layout.css.prefers-color-scheme.content-override
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of a reference to an element, in W3C WebDriver
_SECONDS = 60


class Firefox:
    """A running Firefox with one window."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = self._connection.makefile("rb")
        self._read()  # it greets
        self._id = 0
        self._ask("WebDriver:NewSession", capabilities={})

    def close(self) -> None:
        """End the conversation."""
        self._stream.close()

    def open(self, url: str, width: int, height: int) -> None:
        """Load a page in a window whose inside has that size."""
        self._ask("WebDriver:Navigate", url=url)
        for _ in range(2):  # the frame's size is known once there is one
            frame = self.run("return [outerWidth - innerWidth, outerHeight - innerHeight]")
            self._ask("WebDriver:SetWindowRect", width=width + frame[0], height=height + frame[1])

    def run(self, script: str, *values: Any) -> Any:
        """Return what a function body returns, with `arguments`."""
        return self._ask("WebDriver:ExecuteScript", script=script, args=values)["value"]

    def run_async(self, script: str) -> Any:
        """Return what a function body calls its last argument with."""
        return self._ask("WebDriver:ExecuteAsyncScript", script=script, args=[])["value"]

    def wait_for(self, condition: str, *values: Any) -> Any:
        """Return an expression's value once it is true, with `arguments`."""
        end = time.monotonic() + _SECONDS
        while not (value := self.run(f"return {condition}", *values)):
            assert time.monotonic() < end, f"still false: {condition}"
            time.sleep(0.05)
        return value

    def click(self, selector: str) -> None:
        """Click with the mouse, once the element is there; a label where its input is covered."""
        self.wait_for("document.querySelector(arguments[0])", selector)
        self._ask("WebDriver:ElementClick", id=self._find(selector))

    def type(self, selector: str, text: str) -> None:
        """Press keys; U+E004 is Tab, U+E007 Enter, U+E014 the right arrow."""
        self._ask("WebDriver:ElementSendKeys", id=self._find(selector), text=text)

    def picture(self) -> bytes:
        """Return a PNG of the window's inside."""
        return base64.b64decode(self._ask("WebDriver:TakeScreenshot", full=False)["value"])

    def _find(self, selector: str) -> str:
        found = self._ask("WebDriver:FindElement", using="css selector", value=selector)["value"]
        return str(found[_ELEMENT])

    def _ask(self, name: str, **parameters: Any) -> dict[str, Any]:
        self._id += 1
        message = json.dumps([0, self._id, name, parameters])
        self._connection.sendall(f"{len(message)}:{message}".encode())
        _, _, error, result = self._read()
        assert error is None, f"{name}: {error}"
        return result or {}

    def _read(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            assert byte, "Firefox closed the connection"
            length += byte
        return json.loads(self._stream.read(int(length)))


@contextmanager
def running_firefox(program: str, profile: Path, scheme: str = "light") -> Iterator[Firefox]:
    """Run a program of Firefox without a screen.

    Args:
        program: Its path.
        profile: A directory that is created.
        scheme: The colours that the person prefers, `light` or `dark`.
    """
    profile.mkdir()
    preferences = _PREFERENCES | {"layout.css.prefers-color-scheme.content-override": _DARK[scheme]}
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        port = profile / "MarionetteActivePort"
        end = time.monotonic() + _SECONDS
        while not (port.exists() and port.read_text()):
            assert process.poll() is None, (profile / "log").read_text()
            assert time.monotonic() < end, "Firefox has not opened Marionette's port"
            time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", int(port.read_text())), _SECONDS) as connection:
            firefox = Firefox(connection)
            yield firefox
            firefox.close()
    finally:
        process.terminate()
        process.wait(_SECONDS)
