"""How a test talks to the double: set a fault, read what was asked. Loopback only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.azure_double.answers import state
from tests.azure_double.faults import Fault

KNOBS = ("latency_s", "page_size")


async def set_faults(request: Request) -> Response:
    """Replace every fault by the posted list; an empty list ends the trouble."""
    faults = [Fault(**each) for each in await request.json()]
    double = state(request)
    with double.lock:
        double.faults[:] = faults
    return JSONResponse({"faults": len(faults)})


async def turn(request: Request) -> Response:
    """Turn a knob, or put something into the memory of a family of routes."""
    wanted: dict[str, Any] = await request.json()
    double = state(request)
    with double.lock:
        for name, value in wanted.items():
            if name in KNOBS:
                setattr(double, name, value)
            else:
                double.memory[name] = value
    return JSONResponse({})


def asked(request: Request) -> Response:
    """What was asked since the last time, oldest first; `unknown` is what nobody foresaw."""
    double = state(request)
    with double.lock:
        answer = {"asked": [asdict(each) for each in double.asked], "unknown": double.unknown[:]}
        double.asked.clear()
        double.unknown.clear()
    return JSONResponse(answer)


routes = [
    Route("/_double/faults", set_faults, methods=["PUT"]),
    Route("/_double/knobs", turn, methods=["PUT"]),
    Route("/_double/asked", asked),
]
