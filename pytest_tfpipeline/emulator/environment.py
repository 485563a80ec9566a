"""What a process must be told so that it talks to the emulated cloud and can never reach a real account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

#: The account that everything belongs to, unless a role of another account is assumed, or the configuration names one
#: (moto's own default).
ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "us-east-1"
_KEY_ID = "AKIAEMULATEDCLOUD000"
_SECRET = "emulated-cloud-no-secret"  # noqa: S105
_LOOPBACK = "127.0.0.1,localhost,::1"

#: Emptied wherever it is inherited: each would lead to credentials of a real account. The SDKs and terraform read an
#: empty value as an absent one.
_CREDENTIAL_SOURCES = (
    "AWS_ACCOUNT_ID",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECURITY_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


def process_env(
    *, proxy: str, ca_path: Path, aws_directory: Path, environ: Mapping[str, str], region: str = DEFAULT_REGION
) -> dict[str, str]:
    """Variables to lay over an inherited environment; `environ` is that environment, `region` where it names none.

    `aws_directory` holds the configuration files of `write_aws_files`.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or region
    return {
        **_proxies(proxy),
        **dict.fromkeys(_CREDENTIAL_SOURCES, ""),
        **dict.fromkeys(sorted(name for name in environ if _names_endpoint(name)), ""),
        "AWS_ACCESS_KEY_ID": _KEY_ID,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_SESSION_TOKEN": "emulated",
        "AWS_PROFILE": "default",
        "AWS_DEFAULT_PROFILE": "default",
        "AWS_CONFIG_FILE": str(aws_directory / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(aws_directory / "credentials"),
        "AWS_CA_BUNDLE": str(ca_path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        # terraform takes any text, "false" too, for yes.
        "AWS_USE_FIPS_ENDPOINT": "",
        "AWS_USE_DUALSTACK_ENDPOINT": "",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": environ.get("AWS_DEFAULT_REGION") or region,
    }


def write_aws_files(directory: Path, profiles: Sequence[str] = ()) -> None:
    """The AWS configuration and credentials files that stand in for the user's, with the same dummy keys for the
    default profile and for each of `profiles` (names that the Terraform or the configuration asks for)."""
    names = ["default", *(name for name in profiles if name != "default")]
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = f"aws_access_key_id = {_KEY_ID}\naws_secret_access_key = {_SECRET}\n"
    config = "".join(f"[{name if name == 'default' else f'profile {name}'}]\n" for name in names)
    (directory / "config").write_text(config, encoding="utf-8")
    (directory / "credentials").write_text("".join(f"[{name}]\n{keys}" for name in names), encoding="utf-8")


def _proxies(proxy: str) -> dict[str, str]:
    """Both spellings, because some programs prefer the lower-case one; an inherited NO_PROXY could name AWS or `*`."""
    upper = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "ALL_PROXY": proxy, "NO_PROXY": _LOOPBACK}
    return upper | {name.lower(): value for name, value in upper.items()}


def _names_endpoint(name: str) -> bool:
    """AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, and terraform's own AWS_S3_ENDPOINT, TF_AWS_STS_ENDPOINT, ..."""
    return name.startswith("AWS_ENDPOINT_URL") or (
        name.startswith(("AWS_", "TF_AWS_")) and name.endswith(("_ENDPOINT", "_ENDPOINT_URL"))
    )
