"""Drive terraform: argv, init, plan, apply, and what its answers mean. Every function here is about one root."""
