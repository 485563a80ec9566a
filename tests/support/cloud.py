"""Ask an emulated cloud itself what is in it, as any other client of AWS would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config


def boto3_client(service: str, process_env: Mapping[str, str], region: str | None = None) -> Any:
    """A boto3 client of the cloud that `Emulator.process_env` leads to; nothing is read from this process's
    environment. `region` defaults to the one of `process_env`."""
    session = boto3.Session(
        aws_access_key_id=process_env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=process_env["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=process_env["AWS_SESSION_TOKEN"],
        region_name=region or process_env["AWS_REGION"],
    )
    proxies = {"http": process_env["HTTP_PROXY"], "https": process_env["HTTPS_PROXY"]}
    config = Config(
        proxies=proxies,
        retries={"max_attempts": 1},
        connect_timeout=10,
        read_timeout=30,
        ignore_configured_endpoint_urls=True,
    )
    return session.client(service, config=config, verify=process_env["AWS_CA_BUNDLE"])
