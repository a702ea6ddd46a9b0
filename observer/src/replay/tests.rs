//! Captures and packets made here, and what is read of them.
