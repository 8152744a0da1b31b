"""Put the program together: database, follower, routes. No logic."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from app.activity.follower import Follower
from app.activity.routes import api as activity_api
from app.consensus.follower import CandidateFollower
from app.consensus.service import rules_from
from app.database import Clock, Database, utc_now
from app.settings import ROOT, Settings
from app.web import problems
from app.web.door import Door
from app.web.headers import SecurityHeaders
from app.web.session import WriteGate
