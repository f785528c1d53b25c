/// Files to keep after a step.
package struct PlanArtifact: Hashable, Sendable {
    package static let kindBytesMax = 64

    package let source: Source
    package let kind: String
    package let title: String?

    /// Where the files are, relative to the workdir.
    package enum Source: Hashable, Sendable {
        case path(String)
        case glob(String)
    }
}
