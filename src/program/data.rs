//! The app's own data: what code writes and reads of it, and what its tables hold together.

pub(super) mod functions;
pub(super) mod own_rows;
pub mod records;
pub mod refused;
pub mod row_uses;
pub mod rows;
pub mod spread_rows;
pub mod table_changes;
pub mod tables;
