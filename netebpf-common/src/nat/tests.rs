//! Properties of translation.
