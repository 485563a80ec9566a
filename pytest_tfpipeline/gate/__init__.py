"""The gate: what stands between the checks and an apply.

Read `verdict.decide` first: it is the whole decision, a pure function. `objections` turns what the controller saw into
reasons, `waves` carries out what was decided, `evidence` writes down what the run proved.
"""
