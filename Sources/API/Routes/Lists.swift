import JSON
import Projectors
import Shared

extension RequestContext {
    /// Where a list goes on; nil at its start.
    func cursor() throws(Rejection) -> ListCursor? {
        guard let text = query("cursor") else { return nil }
        guard let cursor = ListCursor(text: text) else {
            throw .field("cursor", .invalidCursor, "cursor: expected the next_cursor of an earlier answer")
        }
        return cursor
    }

    /// A query parameter that is one of a few words.
    func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, _ reason: ReasonCode = .invalidField
    ) throws(Rejection) -> Value? where Value.RawValue == String {
        guard let text = query(name) else { return nil }
        guard let value = Value(rawValue: text) else {
            let allowed = Value.allCases.map(\.rawValue)
            throw Rejection(
                reason, "\(name): expected one of \(allowed.joined(separator: ", ")), found '\(text.prefix(100))'",
                details: ["field": .string(name), "allowed": .array(allowed.map { .string($0) })])
        }
        return value
    }
}

extension Array {
    /// The cursor behind the last element of a full page.
    func nextCursor(_ limit: Int, _ cursor: (Element) -> ListCursor) -> String? {
        count < limit ? nil : last.map { cursor($0).text }
    }
}
