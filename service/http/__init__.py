"""What every endpoint shares: keys, limits, problem details, the OpenAPI document, the files of the page."""
