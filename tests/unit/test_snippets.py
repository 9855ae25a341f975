"""The copied request runs, and never holds a key."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys

import pytest

from services import snippets

URI = "http://127.0.0.1:5001/score"
PAYLOAD = json.dumps({"data": [{"job": 'l\'entrepreneur "né"', "age": 57, "loan": None}]})


@pytest.mark.parametrize("language", snippets.LANGUAGES)
def test_every_language_reads_the_key_from_the_environment(language):
    text = snippets.render(language, URI, PAYLOAD, auth=True)

    assert snippets.KEY_VARIABLE in text
    assert URI in text


@pytest.mark.parametrize("language", snippets.LANGUAGES)
def test_a_deployment_without_keys_needs_no_variable(language):
    text = snippets.render(language, URI, PAYLOAD, auth=False)

    assert snippets.KEY_VARIABLE not in text
    assert "Authorization" not in text


def test_the_python_program_sends_the_payload_it_shows():
    tree = ast.parse(snippets.python(URI, PAYLOAD, auth=True))
    payload = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "payload"
    )

    assert ast.literal_eval(payload) == json.loads(PAYLOAD)


def test_a_payload_that_is_no_json_is_sent_as_it_stands():
    tree = ast.parse(snippets.python(URI, '{"data": [NaN', auth=True))

    assert ast.literal_eval(tree.body[3].value) == '{"data": [NaN'


def test_a_payload_with_nan_makes_a_program_that_can_be_read():
    ast.parse(snippets.python(URI, '{"data": [NaN]}', auth=True))
    assert "nan" not in snippets.python(URI, '{"data": [NaN]}', auth=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_shell_sees_the_payload_unchanged():
    script = "curl() { printf '%s' \"${@: -1}\"; }\n" + snippets.curl(URI, PAYLOAD, auth=True)
    shown = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"SCORING_KEY": "k"},
    )

    assert json.loads(shown.stdout) == json.loads(PAYLOAD)


def test_powershell_quotes_cannot_be_closed_by_the_payload():
    text = snippets.powershell("http://host/it's", "no json\n'@ ; Remove-Item", auth=True)

    assert "'no json\n''@ ; Remove-Item'" in text
    assert "'http://host/it''s'" in text


def test_the_python_program_is_syntactically_valid_on_this_python():
    compile(snippets.python(URI, PAYLOAD, auth=True), "snippet", "exec")
    assert sys.version_info >= (3, 11)
