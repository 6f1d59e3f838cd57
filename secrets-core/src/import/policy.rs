//! What happens to entries whose names exist, and to the others when one is rejected.

/// What happens to an entry whose name exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictPolicy {
    /// What is stored stays.
    #[default]
    Skip,
    /// It gets a new version, with the target that it has.
    Overwrite,
    /// The entry is rejected.
    Fail,
}

/// What happens to the other entries when one is rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectedPolicy {
    /// Nothing is applied.
    #[default]
    Fail,
    /// They are applied.
    Skip,
}

crate::wire_enum::wire_enum!(ConflictPolicy, "conflict policy", {
    Skip => "SKIP",
    Overwrite => "OVERWRITE",
    Fail => "FAIL",
});
crate::wire_enum::wire_enum!(RejectedPolicy, "rejected policy", { Fail => "FAIL", Skip => "SKIP" });
