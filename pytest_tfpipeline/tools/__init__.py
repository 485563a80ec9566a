"""Find or install the programs that a run uses, and say where terraform gets its providers from."""
