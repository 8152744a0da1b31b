"""The API's routes of this package."""

from fastapi import APIRouter

api = APIRouter()
