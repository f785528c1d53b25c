/// A parameter of a query: its name, what it may be, and what a wrong one is refused with.
package struct QueryParameter: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case text
        /// One of a few words.
        case choice([String])
        /// Out of bounds is refused, unless it is a list's limit, which is clamped.
        case integer(ClosedRange<Int64>, isClamped: Bool = false)
        case time
        case flag
        /// Repeated, or separated by commas.
        case list(itemsMax: Int)
    }

    /// 2^53 − 1: the largest integer that every JSON implementation reads alike.
    package static let integerMax: Int64 = 9_007_199_254_740_991

    package var name: String
    package var kind: Kind
    package var summary: String
    /// What a value that it may not be is refused with; nil where there is none.
    package var refusal: ReasonCode?
    package var isRequired: Bool

    package init(
        _ name: String, _ kind: Kind, _ summary: String, refusal: ReasonCode? = nil, isRequired: Bool = false
    ) {
        (self.name, self.kind, self.summary) = (name, kind, summary)
        (self.refusal, self.isRequired) = (refusal, isRequired)
    }

    /// How many items of a list; more than the most is clamped.
    package static func limit(_ standard: Int, max most: Int) -> QueryParameter {
        QueryParameter(
            "limit", .integer(1...Int64(most), isClamped: true), "How many items at most; \(standard) if not given.",
            refusal: .invalidLimit)
    }

    package static let cursor = QueryParameter(
        "cursor", "The `next_cursor` of an earlier answer.", refusal: .invalidCursor)

    /// One of the words of an enumeration.
    package static func choice<Value: CaseIterable & RawRepresentable>(
        _ name: String, _ type: Value.Type, _ summary: String, _ refusal: ReasonCode = .invalidField
    ) -> QueryParameter where Value.RawValue == String {
        QueryParameter(name, .choice(Value.allCases.map(\.rawValue)), summary, refusal: refusal)
    }

    package static func equals(_ name: String) -> QueryParameter {
        QueryParameter(name, "Only those with exactly this `\(name)`.")
    }
}

extension QueryParameter {
    package init(_ name: String, _ summary: String, refusal: ReasonCode? = nil, isRequired: Bool = false) {
        self.init(name, .text, summary, refusal: refusal, isRequired: isRequired)
    }
}
