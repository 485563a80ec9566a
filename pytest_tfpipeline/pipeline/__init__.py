"""From the repository and its configuration to the description of a run."""
