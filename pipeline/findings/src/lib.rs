//! Carries verified findings to the issue system, whatever breaks, once in effect; and what it answers, back.
