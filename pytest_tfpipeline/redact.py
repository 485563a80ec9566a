"""Keep secrets, and sequences that steer a terminal or a CI runner, out of everything that is shown or written.

What is secret is known from three places: variables of the environment whose names say so, `TF_VAR_` of variables
declared sensitive, and the values that terraform marked sensitive in a plan.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

#: What stands in a text where a secret was.
MASK = "***"
#: What stands in a plan's JSON where a sensitive value was, as terraform itself writes it.
SENSITIVE = "(sensitive)"
#: Shorter secrets are not masked in texts: they would match everywhere.
MIN_SECRET = 4
#: Shorter ones are masked in a plan only where they are marked: `create` and `admin` may stand anywhere.
_MIN_ELSEWHERE = 8
_MIN_LINE = 12
_NO_SECRETS = frozenset({"true", "false", "null", "none"})
_SECRET_NAME = re.compile(
    r"(TOKEN|SECRET|PASSW(OR)?D|PASSPHRASE|CREDENTIALS?|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH|DIGEST_KEY)(_|$)|_KEY$"
    r"|CONNECTION_STRING|_PAT$|_DSN$",
    re.IGNORECASE,
)
#: Names that look secret but hold a place, an identifier or a switch.
_PUBLIC_NAME = re.compile(r"(_FILE|_PATH|_URL|_URI|_ID|_SOCK|_NAME|_ARN|_METHOD|_HELPER|_DIR)$", re.IGNORECASE)
#: In what OpenTofu reads of `TF_ENCRYPTION`, HCL or JSON: the arguments of key providers that hold secrets.
_ENCRYPTION_SECRET = re.compile(
    r'\b\w*(?:passphrase|secret|token|password)\w*"?\s*[=:]\s*"((?:[^"\\\n]|\\.)+)"', re.IGNORECASE
)
#: Names the file of a key, and a path is no secret. Longer than this it is none: then it may be the key itself.
_KEY_FILE = "TFPIPELINE_SIGNING_KEY"
_MAX_PATH = 255
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
#: Commands to GitHub Actions at the start of a line; to Azure Pipelines, TeamCity and older GitHub runners anywhere.
_LINE_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_HASH_COMMAND = re.compile(r"##(?=\w*\[)")


def secrets_of_environ(environ: Mapping[str, str], sensitive_variables: Iterable[str] = ()) -> set[str]:
    """Values of the variables that look secret by name, and of `TF_VAR_NAME` for each sensitive input variable."""
    declared = {f"TF_VAR_{name}" for name in sensitive_variables}
    secret = {name for name in environ if name in declared or looks_secret(name)}
    if names_file(environ.get(_KEY_FILE, "")):
        secret.discard(_KEY_FILE)
    found = {environ[name] for name in secret if environ[name]}
    return found | set(_ENCRYPTION_SECRET.findall(environ.get("TF_ENCRYPTION", "")))


def looks_secret(name: str) -> bool:
    """Whether a variable of that name holds a secret, as far as a name tells."""
    return bool(_SECRET_NAME.search(name)) and not _PUBLIC_NAME.search(name)


def names_file(value: str) -> bool:
    """Whether the value of a variable that is to name the file of a key can be a path, and is not the key itself."""
    return 0 < len(value) <= _MAX_PATH and value.isprintable() and "-----" not in value


class Redactor:
    """Masks known secrets in texts: as they are, and in the forms that tools print them in."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = frozenset(secret for secret in secrets if _worth_masking(secret))
        forms = {form for secret in self.secrets for form in _forms(secret)}
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text with every secret of four characters or more masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: Any) -> Any:
        """A JSON value with the secrets masked in all of its strings; keys are structure and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(each) for each in value]
        return value


def _worth_masking(secret: str) -> bool:
    return len(secret.strip()) >= MIN_SECRET and secret.strip().lower() not in _NO_SECRETS


def _forms(secret: str) -> Iterator[str]:
    """Plain, escaped as JSON and HCL do, URL-encoded, in base64, and line by line."""
    for plain in {secret, secret.strip()}:
        yield plain
        for ascii_only in (True, False):
            escaped = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
            yield escaped
            # Go's encoder, and so terraform's, escapes these three as well.
            yield escaped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        octets = plain.encode("utf-8", "surrogatepass")
        yield quote(octets)
        yield quote(octets, safe="")
        yield quote_plus(octets)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(octets).decode().rstrip("=")
    if "\n" in secret:
        yield from (line.strip() for line in secret.splitlines() if len(line.strip()) >= _MIN_LINE)


def secrets_of_plan(plan: Mapping[str, Any]) -> set[str]:
    """Every value that a plan (`terraform show -json`) marks sensitive, as texts."""
    return {text for value in _marked_values(plan) for text in _texts(value)}


def secrets_of_outputs(outputs: Mapping[str, Any]) -> set[str]:
    """The texts in sensitive outputs, of what `terraform output -json` prints."""
    return {text for output in outputs.values() if output.get("sensitive") for text in _texts(output.get("value"))}


def redact_plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the plan in which every value marked sensitive is `(sensitive)`, wherever else it stands too.

    Marks are `before_sensitive`, `after_sensitive`, `sensitive_values`, and `sensitive` of outputs and variables.
    """
    elsewhere = Redactor(secret for secret in secrets_of_plan(plan) if len(secret) >= _MIN_ELSEWHERE)
    masked: dict[str, Any] = elsewhere.value(_mask(plan))
    variables = masked.get("variables")
    if isinstance(variables, dict):
        for name in _sensitive_variables(plan) & variables.keys():
            variables[name] = {**variables[name], "value": SENSITIVE}
    return masked


_MARKS = (("before", "before_sensitive"), ("after", "after_sensitive"), ("values", "sensitive_values"))
#: Where outputs and declared variables with `sensitive: true` hold their values.
_HELD = ("value", "default")


def _sensitive_variables(plan: Mapping[str, Any]) -> set[str]:
    declared = plan.get("configuration", {}).get("root_module", {}).get("variables", {})
    return {name for name, variable in declared.items() if variable.get("sensitive")}


def _marked_values(plan: Mapping[str, Any]) -> Iterator[Any]:
    variables = plan.get("variables", {})
    for name in _sensitive_variables(plan):
        variable = variables.get(name, {})
        yield variable.get("value") if isinstance(variable, dict) else variable
    yield from _marked_below(plan)


def _marked_below(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, mark in _MARKS:
            if value.get(mark):
                yield from _at_marks(value.get(key), value[mark])
        if value.get("sensitive") is True:
            yield from (value.get(key) for key in _HELD)
        for each in value.values():
            yield from _marked_below(each)
    elif isinstance(value, list):
        for each in value:
            yield from _marked_below(each)


def _at_marks(value: Any, mark: Any) -> Iterator[Any]:
    """The parts of `value` where `mark`, of the same shape, says true."""
    if mark is True:
        yield value
    elif isinstance(mark, dict) and isinstance(value, dict):
        for key, inner in mark.items():
            yield from _at_marks(value.get(key), inner)
    elif isinstance(mark, list) and isinstance(value, list):
        for each, inner in zip(value, mark, strict=False):
            yield from _at_marks(each, inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield json.dumps(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _mask(value: Any) -> Any:
    """A copy with `(sensitive)` at every mark."""
    if isinstance(value, list):
        return [_mask(each) for each in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _mask(each) for key, each in value.items()}
    for key, mark in _MARKS:
        if key in copy and value.get(mark):
            copy[key] = _hide(copy[key], value[mark])
    if value.get("sensitive") is True:
        copy |= {key: SENSITIVE for key in _HELD if copy.get(key) is not None}
    return copy


def _hide(value: Any, mark: Any) -> Any:
    if mark is True:
        return SENSITIVE if value is not None else None
    if isinstance(mark, dict) and isinstance(value, dict):
        return {key: _hide(each, mark.get(key)) for key, each in value.items()}
    if isinstance(mark, list) and isinstance(value, list):
        return [_hide(each, mark[i] if i < len(mark) else None) for i, each in enumerate(value)]
    return value


def clean(text: str) -> str:
    r"""Text that can neither steer a terminal nor a CI runner, nor end a worker's channel.

    Colours are dropped; control characters but `\n` and `\t`, bidirectional and other invisible formatting
    characters and lone surrogates become escapes; lines that would be workflow commands are escaped.
    """
    plain = _COLOUR.sub("", text).replace("\r\n", "\n")
    if not plain.isascii() or not plain.isprintable():
        plain = "".join(char if _harmless(char) else _escaped(char) for char in plain)
    return _HASH_COMMAND.sub(r"#\\x23", _LINE_COMMAND.sub(r"\1\\x3a", plain))


def _harmless(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
