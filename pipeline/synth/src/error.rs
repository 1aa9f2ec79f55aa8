//! What can go wrong when a scene is painted.

/// Why a [`Scenario`](crate::Scenario) could not be painted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// The scenario contradicts itself; every fault is named.
    #[error("the scenario cannot be painted, {} fault(s): {}", faults.len(), faults.join("; "))]
    InvalidScenario {
        /// Each fault with the field, the value found and the value expected.
        faults: Vec<String>,
    },
    /// The landscape that the seed gives has no fit ground for an event.
    #[error(
        "no fit ground for {kind} event {index} at site {site} after {tried} tries; \
         use another seed, a larger scene or fewer events"
    )]
    NoRoom {
        /// Position of the event in [`Scenario::events`](crate::Scenario::events).
        index: usize,
        /// What was to be placed.
        kind: &'static str,
        /// Where it was to be placed.
        site: &'static str,
        /// How many places were looked at.
        tried: usize,
    },
}
