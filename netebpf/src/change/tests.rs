//! Requests as users make them, and what they come to.
