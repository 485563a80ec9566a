"""Which hosts are AWS, and how a service says no in words that its clients show."""

from __future__ import annotations

import json
import re
from xml.sax.saxutils import escape

_ACTION = re.compile(rb"(?:^|[?&])Action=(\w+)")
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
#: Services whose errors come as XML although their requests carry no form.
_XML_HOSTS = ("route53.", "cloudfront.")


def is_aws(host: str) -> bool:
    """Whether a host (lower case, without a port) is an endpoint of AWS, and so of the emulated cloud.

    moto's own control interface, which could turn forwarding on, is not.
    """
    return host.endswith(_AWS_DOMAINS) and not host.startswith("motoapi.")


def action_of(method: str, path: str, target: str, body: bytes) -> str:
    """What a request asks for: the action's name (`target` is the header X-Amz-Target), or method and path."""
    if target:
        return target.rpartition(".")[2]
    named = _ACTION.search(path.encode() + b"&" + body)
    return named[1].decode() if named else f"{method} {path.split('?')[0]}"


def refusal_body(host: str, content_type: str, message: str) -> tuple[str, bytes]:
    """Content type and body of an error of the kind "NotImplemented", in the protocol that the request speaks."""
    inner = f"<Code>NotImplemented</Code><Message>{escape(message)}</Message>"
    if content_type.startswith("application/x-amz-json"):
        return content_type, _json(message)
    if host.startswith("ec2."):
        return "text/xml", f"<Response><Errors><Error>{inner}</Error></Errors></Response>".encode()
    if content_type.startswith("application/x-www-form-urlencoded") or host.startswith(_XML_HOSTS):
        return "text/xml", f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>".encode()
    if host.startswith("s3") or ".s3" in host:
        return "application/xml", f"<Error>{inner}</Error>".encode()
    return "application/json", _json(message)


def _json(message: str) -> bytes:
    return json.dumps({"__type": "NotImplemented", "message": message}).encode()
