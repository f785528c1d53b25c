/// Where the steps of a run work.
package struct PlanWorkdir: Hashable, Sendable {
    /// Absolute; nil for a fresh folder.
    package let path: String?
    package let isolation: Isolation

    package enum Isolation: String, CaseIterable, Codable, Hashable, Sendable {
        /// In place, at `path`.
        case none
        /// A fresh folder, the default when no path is given.
        case temp
        /// A git worktree. Refused until the release that brings it.
        case worktree
    }
}
