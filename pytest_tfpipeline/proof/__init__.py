"""What others can rely on, and what we rely on from others: evidence as a document, signatures, approvals.

Everything read here comes from outside of the run and may be truncated, forged or huge: it is refused by name, and
nothing of it is believed that was not verified.
"""
