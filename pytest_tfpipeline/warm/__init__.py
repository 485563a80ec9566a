"""Tools that are kept running between calls, so that each pays its start-up once: never in a run that can apply."""
