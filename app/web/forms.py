"""Forms whose fields are not known beforehand, such as one choice per conflict."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData


async def read_form(request: Request) -> FormData:
    """All fields of the form as they came."""
    return await request.form()


FormDep = Annotated[FormData, Depends(read_form)]
