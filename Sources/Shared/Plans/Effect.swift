/// What repeating a tool call would do to the world, from the harmless to the strict.
package enum Effect: String, CaseIterable, Codable, Comparable, Hashable, Sendable {
    /// A pure read: repeating it changes nothing.
    case none
    /// Safe to repeat with the same effect key.
    case idempotent
    /// Must not happen twice; a call whose end is not known waits for a person.
    case once

    /// A lower effect is less strict.
    package static func < (left: Self, right: Self) -> Bool { left.strictness < right.strictness }

    private var strictness: Int {
        switch self {
        case .none: 0
        case .idempotent: 1
        case .once: 2
        }
    }
}
