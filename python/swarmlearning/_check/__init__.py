"""`python -m swarmlearning check`: what a program would share, and whether it can take part in a swarm."""
