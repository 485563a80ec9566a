"""`--tf-list`: show what was found, run nothing."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.errors import PipelineError


def show_listing(config: pytest.Config) -> int:
    """Print every directory and what it was taken for; as JSON nothing else goes to stdout."""
    from pytest_tfpipeline.pipeline.build import Wish, describe
    from pytest_tfpipeline.plugin.place import top_of
    from pytest_tfpipeline.plugin.wishes import file_option
    from pytest_tfpipeline.process import Runner
    from pytest_tfpipeline.redact import clean
    from pytest_tfpipeline.reports.listing import listing_json, listing_table
    from pytest_tfpipeline.reports.write import write_stdout

    wish = Wish(config_file=file_option(config, config.option.tf_config))
    try:
        repository = describe(top_of(config.rootpath), wish, Runner()).repository
    except PipelineError as error:
        raise pytest.UsageError(clean(str(error))) from None
    write_stdout(listing_json(repository) if config.option.tf_list == "json" else clean(listing_table(repository)))
    return int(pytest.ExitCode.OK)
