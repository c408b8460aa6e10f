//! What was saved is loaded; what cannot be loaded is refused with the way out.
