//! The transition table, exhaustively, and the truth table of the retry window.

mod device;
mod retry;
mod several_tokens;
mod transitions;
mod world;
