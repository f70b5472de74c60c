"""Is it there, can it work, what is it."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter

from app.api.deps import ServicesDep
from app.api.schemas import Health, Version

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> Health:
    """Tell that the process answers; needs no token."""
    return Health(status="ok")


@router.get("/readyz")
def readyz(services: ServicesDep) -> Health:
    """Tell that the database can be read."""
    services.collections.list()
    return Health(status="ready")


@router.get("/v1/version")
def read_version() -> Version:
    """Return the version of Gnomon and of the API."""
    try:
        return Version(version=version("gnomon"), api="v1")
    except PackageNotFoundError:  # a checkout that is not installed
        return Version(version="0+unknown", api="v1")
