//! Properties of flow states and life times.
