import JSON
import Projectors
import Shared

extension RequestContext {
    /// Where a list goes on; nil at its start.
    func cursor() throws(Rejection) -> ListCursor? { try cursor { $0 } }

    /// The same for a list that is in another order than that of time.
    /// - Parameter read: What the cursor stands for in that list; nil if it is another list's.
    func cursor<Place>(_ read: (ListCursor) -> Place?) throws(Rejection) -> Place? {
        guard let text = query("cursor") else { return nil }
        guard let place = ListCursor(text: text).flatMap(read) else {
            throw .field("cursor", .invalidCursor, "cursor: expected the next_cursor of an earlier answer")
        }
        return place
    }

    /// A query parameter that is a moment.
    func time(_ name: String, _ reason: ReasonCode) throws(Rejection) -> Timestamp? {
        guard let text = query(name) else { return nil }
        guard let time = Timestamp(text) else {
            throw .field(name, reason, "\(name): expected an RFC 3339 time such as 2026-03-04T05:06:07.089Z")
        }
        return time
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
