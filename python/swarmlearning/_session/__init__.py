"""The talk with the Swarm Learning node (SL): two FIFOs, messages, arrays."""
