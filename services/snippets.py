"""The same scoring request as curl, Python and PowerShell, with the key as a variable.

The key itself is never part of the text: each snippet reads the environment variable
``SCORING_KEY``.
"""

from __future__ import annotations

import json
import pprint
import re
import shlex

KEY_VARIABLE = "SCORING_KEY"
LANGUAGES = ("curl", "Python", "PowerShell")
_WIDTH = 96


def render(language: str, uri: str, payload: str, *, auth: bool) -> str:
    """A command or program that sends `payload` to `uri` and prints the answer.

    Args:
        language: one of `LANGUAGES`.
        payload: the request body; laid out for reading where it is JSON.
        auth: the deployment requires a key.
    """
    write = {"curl": curl, "Python": python, "PowerShell": powershell}[language]
    return write(uri, payload, auth=auth)


def curl(uri: str, payload: str, *, auth: bool) -> str:
    """For a POSIX shell."""
    key = f' \\\n  -H "Authorization: Bearer ${KEY_VARIABLE}"' if auth else ""
    return (
        f"curl -sS -X POST {shlex.quote(uri)} \\\n"
        f"  -H 'Content-Type: application/json'{key} \\\n"
        f"  --data-binary {shlex.quote(_indented(payload))}\n"
    )


def python(uri: str, payload: str, *, auth: bool) -> str:
    """For Python 3, with nothing to install."""
    imports = "import json\n" + ("import os\n" if auth else "") + "import urllib.request\n"
    key = f'\n        "Authorization": "Bearer " + os.environ["{KEY_VARIABLE}"],' if auth else ""
    return (
        f"{imports}\n"
        f"{_python_body(payload)}\n"
        "request = urllib.request.Request(\n"
        f"    {json.dumps(uri)},\n"
        "    data=body.encode(),\n"
        "    headers={\n"
        f'        "Content-Type": "application/json",{key}\n'
        "    },\n"
        ")\n"
        "with urllib.request.urlopen(request, timeout=60) as response:\n"
        "    answer = json.loads(response.read())\n"
        "# Scripts made by AutoML answer with JSON inside a JSON string.\n"
        "print(json.loads(answer) if isinstance(answer, str) else answer)\n"
    )


def powershell(uri: str, payload: str, *, auth: bool) -> str:
    """For Windows PowerShell 5.1 and PowerShell 7."""
    key = f'-Headers @{{ Authorization = "Bearer $env:{KEY_VARIABLE}" }} `\n    ' if auth else ""
    return (
        f"$body = {_powershell_text(_indented(payload))}\n\n"
        f"Invoke-RestMethod -Method Post -Uri {_powershell_quoted(uri)} `\n"
        f"    {key}-ContentType 'application/json' `\n"
        "    -Body ([Text.Encoding]::UTF8.GetBytes($body))\n"
    )


def _indented(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload


def _python_body(payload: str) -> str:
    try:
        document = json.loads(payload, parse_constant=_no_constant)
    except ValueError:
        return f"body = {payload!r}\n"
    literal = pprint.pformat(document, width=_WIDTH, sort_dicts=False)
    return f"payload = {literal}\nbody = json.dumps(payload)\n"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no Python literal")


def _powershell_text(text: str) -> str:
    """A here-string for reading, unless a line in it would end one."""
    if re.search(rf"^[{_POWERSHELL_QUOTES}]@", text, re.MULTILINE):
        return _powershell_quoted(text)
    return f"@'\n{text}\n'@"


def _powershell_quoted(text: str) -> str:
    quoted = re.sub(rf"([{_POWERSHELL_QUOTES}])", r"\1\1", text)
    return f"'{quoted}'"


# PowerShell takes typographic single quotes for plain ones.
_POWERSHELL_QUOTES = "'\u2018\u2019\u201a\u201b"
