//! What customers pay, what they get for it, and what the app spends.

pub mod core_paths;
pub mod grants;
pub mod kill_switches;
pub mod payment_forms;
pub mod spending;
pub mod switches;
