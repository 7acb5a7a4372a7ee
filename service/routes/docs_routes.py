"""`/docs`: every endpoint to read and to try, by Swagger UI, whose files come from here and no CDN."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from service.http.web_files import WEB_DIRECTORY, WebFile
from service.routes.sending import DOCS_POLICY, page_router

API_PAGE_DIRECTORY = Path(__file__).parents[1] / "api_page"
_SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")


@cache
def _docs_files() -> dict[str, WebFile]:
    swagger = Path(str(files("fastapi_swagger.resources")))
    paths = (*API_PAGE_DIRECTORY.iterdir(), *(swagger / name for name in _SWAGGER_FILES))
    return {path.name: WebFile.read(path) for path in (*paths, WEB_DIRECTORY / "icon.svg")}


router = page_router("/docs", "/docs/", _docs_files, DOCS_POLICY)
