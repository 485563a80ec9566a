"""`--tf-list`: show what was found, run nothing."""

from __future__ import annotations

import os

import pytest

from pytest_tfpipeline.errors import PipelineError


def show_listing(config: pytest.Config) -> int:
    """Print every directory and what it was taken for; as JSON nothing else goes to stdout."""
    from pytest_tfpipeline.pipeline.build import Wish, describe
    from pytest_tfpipeline.pipeline.needs import wanting
    from pytest_tfpipeline.plugin.place import top_of
    from pytest_tfpipeline.plugin.wishes import changed_asked_for, file_option
    from pytest_tfpipeline.process import Runner
    from pytest_tfpipeline.redact import clean
    from pytest_tfpipeline.reports.listing import listing_json, listing_table
    from pytest_tfpipeline.reports.write import write_stdout

    try:
        wish = Wish(
            config_file=file_option(config, "--tf-config", config.option.tf_config), changed=changed_asked_for(config)
        )
        described = describe(top_of(config.rootpath), wish, Runner())
    except PipelineError as error:
        raise pytest.UsageError(clean(str(error))) from None
    repository = described.repository
    as_json = config.option.tf_list == "json"
    write_stdout(
        listing_json(repository, described.changed)
        if as_json
        else clean(listing_table(repository, wanting(repository, described.config, os.environ), described.changed))
    )
    return int(pytest.ExitCode.OK)
