//! From the stream to the bus, and on to those who listen.

mod batches;
mod pipeline;
mod projections;
mod replays;
mod support;
