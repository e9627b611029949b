//! What values are made of, where they come from, and who reads them.

pub mod answers;
pub mod assigned;
pub mod bodies;
pub mod fresh;
pub mod literals;
pub mod minted;
pub mod options;
pub mod payload;
pub mod reaching;
pub mod readers;
pub mod requested;
pub mod transactions;
