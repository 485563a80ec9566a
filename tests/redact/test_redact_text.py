"""Secrets and control sequences do not get into texts."""

from __future__ import annotations

import base64
import json
import unicodedata
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.redact import Redactor, clean, secrets_of_environ

LOGIN = 'p"ss w<rd/ü+1'
#: Characters that matter, so that hypothesis combines them often.
NASTY = st.text(
    st.sampled_from("\x1b[31m0;:#\\vso\n\r\t \x0b\x85\u2028\u202e\ud800\ufeff\U000e0041a") | st.characters()
)


@pytest.mark.parametrize(
    "shown",
    [
        LOGIN,
        json.dumps(LOGIN),
        json.dumps(LOGIN, ensure_ascii=False),
        json.dumps(LOGIN, ensure_ascii=False).replace("<", "\\u003c"),
        quote(LOGIN),
        quote(LOGIN, safe=""),
        quote_plus(LOGIN),
        base64.b64encode(LOGIN.encode()).decode(),
        base64.urlsafe_b64encode(LOGIN.encode()).decode(),
    ],
)
def test_every_form_that_tools_print_is_masked(shown: str) -> None:
    masked = Redactor([LOGIN]).text(f"Error: login {shown} failed")
    assert "***" in masked
    for piece in ("ss", "w<rd", LOGIN[-3:]):
        assert piece not in masked.replace("Error: login", "")


def test_a_longer_secret_is_masked_whole_though_a_shorter_one_begins_it() -> None:
    assert Redactor(["hunter", "hunter22-long"]).text("hunter22-long hunter") == "*** ***"


def test_a_key_is_masked_line_by_line_too() -> None:
    key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA\nq83vEjRWeJCrze8S\n-----END KEY-----\n"
    assert Redactor([key]).text("  | q83vEjRWeJCrze8S") == "  | ***"


@pytest.mark.parametrize("harmless", ["", "abc", "   ", "true", "False", "null"])
def test_what_would_match_everywhere_is_not_masked(harmless: str) -> None:
    assert Redactor([harmless]).text("true False null abc    .") == "true False null abc    ."


def test_values_keep_their_structure() -> None:
    value = {"secret99": ["secret99", 1, None, {"a": "x secret99"}]}
    assert Redactor(["secret99"]).value(value) == {"secret99": ["***", 1, None, {"a": "x ***"}]}


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "DB_PASSWORD", "PGPASSWORD", "API_KEY",
        "ARM_CLIENT_SECRET", "TF_TOKEN_app_terraform_io", "TFPIPELINE_DIGEST_KEY", "npm_config__auth", "SSH_PASSPHRASE",
        "ARM_ACCESS_KEY", "GOOGLE_CREDENTIALS", "STORAGE_CONNECTION_STRING", "SENTRY_DSN",
    ],
)  # fmt: skip
def test_secret_names(name: str) -> None:
    assert secrets_of_environ({name: "v4lue"}) == {"v4lue"}


@pytest.mark.parametrize(
    "name",
    ["AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_WEB_IDENTITY_TOKEN_FILE", "PATH", "ACTIONS_ID_TOKEN_REQUEST_URL",
     "KEYBOARD", "SSH_AUTH_SOCK", "AUTHOR", "TF_VAR_region", "MONKEY"],
)  # fmt: skip
def test_public_names(name: str) -> None:
    assert secrets_of_environ({name: "v4lue"}) == set()


def test_sensitive_input_variables() -> None:
    assert secrets_of_environ({"TF_VAR_pin": "12345", "TF_VAR_x": "y"}, ["pin"]) == {"12345"}


def test_what_opentofu_encrypts_with_is_secret() -> None:
    hcl = 'key_provider "pbkdf2" "ours" {\n  passphrase = "correct \\"horse"\n}\nmethod "aes_gcm" "m" {}\n'
    assert secrets_of_environ({"TF_ENCRYPTION": hcl}) == {'correct \\"horse'}
    text = '{"key_provider": {"openbao": {"o": {"token": "s.12345", "key_name": "k"}}}}'
    assert secrets_of_environ({"TF_ENCRYPTION": text}) == {"s.12345"}


@given(NASTY)
@settings(deadline=None)
def test_clean_text_steers_nothing(text: str) -> None:
    cleaned = clean(text)
    bad = {char for char in cleaned if char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cf", "Cs"}}
    assert not bad
    assert not any(line.lstrip().startswith("::") for line in cleaned.splitlines())
    assert "##[" not in cleaned
    assert "##vso[" not in cleaned
    assert cleaned.splitlines() == cleaned.removesuffix("\n").split("\n") or not cleaned
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


@given(st.text(st.sampled_from('abc ({}) "=\n\té日😀'), max_size=80))
@settings(deadline=None)
def test_clean_leaves_ordinary_text_alone(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1m\x1b[31mError:\x1b[0m no", "Error: no"),
        ("a\x1b]0;title\x07b", "a\\x1b]0;title\\x07b"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("x\u202eevil", "x\\u202eevil"),
        ("\udcff", "\\udcff"),
        ("::error::x\n  ::set-output name=a::b\na::b", "\\x3a:error::x\n  \\x3a:set-output name=a::b\na::b"),
        ("##[group]x ##vso[task.setvariable]", "#\\x23[group]x #\\x23vso[task.setvariable]"),
        (":\x1b[0m:debug::x", "\\x3a:debug::x"),
        ("## heading", "## heading"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("/run/secrets/signing-key", False),
        ("~/.ssh/id_ed25519", False),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n", True),
        ("-----BEGIN OPENSSH PRIVATE KEY-----b3BlbnNzaC1rZXk", True),
        ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ/" * 8, True),
    ],
)
def test_the_place_of_the_signing_key_is_no_secret_and_the_key_itself_is_one(value: str, masked: bool) -> None:
    assert (value in secrets_of_environ({"TFPIPELINE_SIGNING_KEY": value})) is masked
    assert value in secrets_of_environ({"OTHER_SIGNING_KEY": value})
