/// The durable key of a step inside its plan: `[a-z][a-z0-9_]{0,63}`.
package struct PlanStepID: RawRepresentable, Codable, Hashable, Sendable, CustomStringConvertible {
    package static let bytesMax = 64

    package let rawValue: String

    /// Nil when the text has not the form of a step id.
    package init?(rawValue: String) {
        guard Self.isValid(rawValue.utf8) else { return nil }
        self.rawValue = rawValue
    }

    package var description: String { rawValue }

    private static func isValid(_ bytes: String.UTF8View) -> Bool {
        guard let first = bytes.first, bytes.count <= bytesMax else { return false }
        return first.isLowerLetter && bytes.allSatisfy { $0.isLowerLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
    }
}
