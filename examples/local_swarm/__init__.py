"""A swarm on one machine, for scripts that try a program: see README.md."""
