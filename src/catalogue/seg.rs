//! The steps by which things of a package are reached.

/// A step from a package's root to what is used of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seg {
    /// `.name`, or an import by that name.
    Member(crate::names::Name),
    /// A call.
    Call,
    /// A construction with `new`. Python's constructions are calls.
    New,
}
