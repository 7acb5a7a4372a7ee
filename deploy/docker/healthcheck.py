"""Exit with 0 if the service of this container is ready, else with 1."""

import http.client
import os
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["MATINEE_PORT"]), timeout=2)
try:
    connection.request("GET", "/readyz")
    sys.exit(connection.getresponse().status != http.client.OK)
except OSError as error:
    sys.exit(f"no answer: {error}")
