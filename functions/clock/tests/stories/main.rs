//! What the clock does, beat by beat.

mod beats;
mod idle;
mod nights;
