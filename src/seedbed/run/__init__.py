"""The only room that knows the order of things: binding, planning, rounds, proof, accounts."""
