"""How long the plugin takes for what the plain commands do, measured side by side: `python -m benchmarks --help`."""
