"""Where a webhook is to lead to, found out before the request's transaction begins: to look a name up takes time."""

from fastapi import Request

from app.accounts.actors import get_viewer
from app.database import Database
from app.outbound import check_target, parse_networks
from app.permissions import Action, require
from app.settings import Settings
from app.webhooks import service


def check_address(request: Request, url: str, *, webhook_id: int | None = None) -> None:
    """Raise `TargetRefused` for an address that nothing is sent to; for somebody who may name one alone.

    With a `webhook_id`, an address that this webhook of the caller's has already is not looked up again.
    """
    database: Database = request.app.state.database
    with database.transaction(writing=False) as session:
        viewer = require(get_viewer(request, session), Action.MANAGE_WEBHOOKS)
        if webhook_id is not None and service.get_own(session, viewer, webhook_id).url == url:
            return
    settings: Settings = request.app.state.settings
    check_target(url, parse_networks(settings.webhook_networks))
