"""Uploads and how far they are."""

from fastapi import APIRouter

from app.api.deps import ServicesDep
from app.api.schemas import JobBody

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get("/{job_id}")
def read(job_id: str, services: ServicesDep) -> JobBody:
    """Return the state of an upload and of each of its files."""
    return services.jobs.get(job_id)
