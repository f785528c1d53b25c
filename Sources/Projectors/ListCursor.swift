import DatabaseCore
import EventStore
package import Shared

/// Where a list by time goes on: after the last item that was shown.
package struct ListCursor: Hashable, Sendable {
    package var time: Timestamp
    package var id: String

    package init(time: Timestamp, id: String) { (self.time, self.id) = (time, id) }

    /// Reads ``text``; nil if it is none of ours.
    package init?(text: String) {
        guard let bytes = Hex.bytes(text) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "~", maxSplits: 1)
        guard parts.count == 2, let milliseconds = Int64(parts[0]) else { return nil }
        self.init(time: Timestamp(milliseconds: milliseconds), id: String(parts[1]))
    }

    /// Opaque to clients.
    package var text: String { Hex.text("\(time.milliseconds)~\(id)".utf8) }

    /// ` AND …` for a list in descending order. Column names are the code's own.
    func condition(time column: String, id idColumn: String) -> SQL {
        SQL(
            unsafeText: " AND (\(column), \(idColumn)) < ($1, $2)", bindings: [time.sqlValue, .text(id)])
    }

    /// The same for a list in ascending order.
    func ascendingCondition(time column: String, id idColumn: String) -> SQL {
        SQL(
            unsafeText: " AND (\(column), \(idColumn)) > ($1, $2)", bindings: [time.sqlValue, .text(id)])
    }
}
