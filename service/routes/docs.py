"""`/docs`: every endpoint to read and to try, by Swagger UI, whose files come from here and no CDN."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from service.http.web_files import WEB_DIRECTORY, WebFile
from service.routes.sending import DOCS_POLICY, send_file

router = APIRouter(tags=["pages"])

API_PAGE_DIRECTORY = Path(__file__).parents[1] / "api_page"
_SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")


@cache
def _docs_files() -> dict[str, WebFile]:
    swagger = Path(str(files("fastapi_swagger.resources")))
    paths = (*API_PAGE_DIRECTORY.iterdir(), *(swagger / name for name in _SWAGGER_FILES))
    return {path.name: WebFile.read(path) for path in (*paths, WEB_DIRECTORY / "icon.svg")}


@router.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
async def docs(request: Request) -> Response:
    """The page."""
    return send_file(request, _docs_files()["index.html"], DOCS_POLICY)


@router.api_route("/docs/{name}", methods=["GET", "HEAD"], include_in_schema=False)
async def docs_file(name: str, request: Request) -> Response:
    """A file of the page."""
    found = _docs_files().get(name)
    if found is None:
        raise HTTPException(404, "the documentation has no such file")
    return send_file(request, found, DOCS_POLICY)
