"""The screens of this package, for people."""

from fastapi import APIRouter

site = APIRouter(include_in_schema=False)
