//! Joins patches with layers, rules and offices: from what is seen to what it may be in law, how bad, and whose. Pure functions.
