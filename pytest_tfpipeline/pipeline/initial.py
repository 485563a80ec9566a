"""`init`: from a repository to its first configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.config.check import check_against
from pytest_tfpipeline.config.edit import Addition, addition_text, with_addition, write_text
from pytest_tfpipeline.config.entries import Home, home_of
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.load import load_config, parse_config
from pytest_tfpipeline.discover import discover
from pytest_tfpipeline.model import Question, Repository
from pytest_tfpipeline.pipeline.explicit import explicit
from pytest_tfpipeline.pipeline.needs import wanting
from pytest_tfpipeline.process import Runner


@dataclass(frozen=True, slots=True)
class Initial:
    """What there is to add to the file at `path`, which then is `whole`, and the questions that only a person can
    answer."""

    path: Path
    home: Home
    addition: Addition
    whole: str
    questions: tuple[Question, ...] = ()

    def text(self) -> str:
        """What to add, and the questions as comments below it: valid TOML as it is."""
        head = f"# {'Nothing to add to' if self.addition.empty else 'For'} {self.home.file}.\n"
        added = f"{head}{addition_text(self.home, self.addition)}".rstrip("\n")
        return "\n\n".join((added, *self._asked())) + "\n"

    def written(self) -> str:
        """What to tell after it was written."""
        done = f"added to {self.home.file}" if not self.addition.empty else f"nothing to add to {self.home.file}"
        return "\n\n".join((done, *self._asked()))

    def _asked(self) -> Iterator[str]:
        for question in self.questions:
            yield "\n".join([f"# {question.text}", *(f"#     {line.removeprefix('# ')}" for line in question.lines)])


def top_above(directory: Path) -> Path:
    """The top of the repository that the directory is in; the directory itself where it is in none."""
    return next((each for each in (directory, *directory.parents) if (each / ".git").exists()), directory)


def initial(top: Path, config_file: Path | None, environ: Mapping[str, str]) -> Initial:
    """Look at the repository; raises ConfigurationError and DiscoveryError as a run does.

    What is added has been held against the repository: a configuration that the next run refuses is never written.
    """
    config = load_config(top, config_file)
    repository = _looked_at(top, config)
    home = home_of(top, config)
    path = config_file if config_file is not None else top / home.file
    addition = explicit(repository, config, home, wanting(repository, config, environ))
    text = with_addition(path, home, addition)
    questions = _looked_at(top, parse_config(text, home)).questions
    return Initial(path, home, addition, text, questions)


def _looked_at(top: Path, config: Config) -> Repository:
    repository = discover(top, config, None, Runner())
    check_against(config, repository)
    return repository


def write_initial(found: Initial) -> None:
    """Add to the file; nothing is touched where there is nothing to add."""
    if not found.addition.empty:
        write_text(found.path, found.whole)
