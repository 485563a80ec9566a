"""Reports: pure functions from what a run came to, to text; `write` is the only module that writes."""
