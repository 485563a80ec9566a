"""What a CI system does to an apply job that is cancelled, while terraform is at work."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from promoted import Promotion

#: Tells the test that it has started, with its process id; then it waits until it is interrupted.
BUSY = """
resource "terraform_data" "busy" {
  depends_on = [terraform_data.it]

  provisioner "local-exec" {
    command = "printf %s $$ > 'PIPE'; exec sleep 600"
  }
}
"""


def test_an_apply_job_that_is_cancelled_unlocks_and_says_what_it_applied(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, 'isolation = "jobs"\n', environments=("staging",))
    (promotion.scratch.path / "tests/test_outputs.py").unlink()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    promotion.root("a", BUSY.replace("PIPE", str(pipe)))
    promotion.commit()
    promotion.run(0, "--tf-plan", "staging")
    check = shutil.copy(promotion.scratch.output / "evidence.json", tmp_path / "check.json")

    argv = [sys.executable, "-I", "-m", "pytest_tfpipeline", "apply", "staging", "--evidence", str(check)]
    with subprocess.Popen(
        argv,
        cwd=promotion.scratch.path,
        env=promotion.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        with pipe.open() as stream:
            assert int(stream.read())
        assert promotion.scratch.locks(), "terraform holds its lock while it applies"
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=100)

    assert process.returncode == 2, output
    assert promotion.scratch.locks() == []
    assert promotion.scratch.applied("a-staging"), "what was made before the interrupt is in the state"
    promotion.check(2, {}, output)
    (staging,) = promotion.evidence().environments
    assert [(one.root, one.outcome) for one in staging.applied] == [("infra/a", "failed")]
    assert "staging: interrupted, applied in part" in output
