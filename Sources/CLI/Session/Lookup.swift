package import Shared

/// Finds a thing by enough of its id.
package struct Lookup: Sendable {
    private static let suffixBytesMin = 4
    private static let candidatesMax = 10
    private static let pagesMax = 100
    private static let ulidBytes = 26

    /// Which of the ids are meant: exactly, by their beginning (with or without the prefix), else by their end.
    package static func matches(_ text: String, among ids: [String], prefix: String) -> [String] {
        let wanted = text.lowercased()
        let folded = ids.map { (id: $0, lower: $0.lowercased()) }
        if let exact = folded.first(where: { $0.lower == wanted }) { return [exact.id] }
        let beginning = folded.filter {
            $0.lower.hasPrefix(wanted) || $0.lower.dropFirst(prefix.utf8.count).hasPrefix(wanted)
        }
        if !beginning.isEmpty { return beginning.map(\.id) }
        guard wanted.utf8.count >= suffixBytesMin else { return [] }
        return folded.filter { $0.lower.hasSuffix(wanted) }.map(\.id)
    }

    /// Whether the text is a whole id, which needs no looking up.
    static func isWhole(_ text: String, prefix: String) -> Bool {
        text.hasPrefix(prefix) && text.utf8.count == prefix.utf8.count + ulidBytes
    }

    /// The one id that is meant.
    /// - Parameters:
    ///   - page: What is there behind a cursor, with a line about each for the case that several match.
    /// - Throws: Exit 2 when several match, exit 1 when none does.
    package static func find<Kind>(
        _ text: String, _ noun: String, list command: String, as kind: Identifier<Kind>.Type = Identifier<Kind>.self,
        page: (_ cursor: String?) throws -> (rows: [(id: String, about: String)], next: String?)
    ) throws -> Identifier<Kind> {
        if isWhole(text, prefix: Kind.prefix) { return Identifier(text) }
        var rows: [(id: String, about: String)] = []
        var cursor: String?
        for _ in 0..<pagesMax {
            let found = try page(cursor)
            rows += found.rows
            cursor = found.next
            if cursor == nil { break }
        }
        let matching = matches(text, among: rows.map(\.id), prefix: Kind.prefix)
        if matching.count == 1 { return Identifier(matching[0]) }
        guard !matching.isEmpty else {
            throw Failure(.failed, "no \(noun) has an id like '\(text)'", next: [command])
        }
        let about = Dictionary(rows.map { ($0.id, $0.about) }) { first, _ in first }
        let more = matching.count - candidatesMax
        throw Failure(
            .usage, "'\(text)' could be any of \(matching.count) \(noun)s",
            lines: matching.prefix(candidatesMax).map { "\($0)  \(about[$0] ?? "")" }
                + (more > 0 ? ["and \(more) more"] : []),
            next: ["more of the id"])
    }
}

extension Session {
    private func page(_ cursor: String?) -> [(String, String)] {
        [("limit", String(Self.pageMax))] + (cursor.map { [("cursor", $0)] } ?? [])
    }

    package func runID(_ text: String) throws -> RunID {
        try Lookup.find(text, "run", list: "aos run list") { cursor in
            let list = try get(.runs, query: page(cursor))
            return (list.runs.map { ($0.runID.rawValue, "\($0.status.rawValue)  \($0.title ?? "")") }, list.nextCursor)
        }
    }

    package func approvalID(_ text: String) throws -> ApprovalID {
        try Lookup.find(text, "approval", list: "aos approvals --all") { cursor in
            let list = try get(.approvals, query: page(cursor))
            return (
                list.approvals.map { ($0.approvalID.rawValue, "\($0.status.rawValue)  \($0.title ?? $0.action)") },
                list.nextCursor
            )
        }
    }

    package func artifactID(_ text: String) throws -> ArtifactID {
        try Lookup.find(text, "artifact", list: "aos artifact list") { cursor in
            let list = try get(.artifacts, query: page(cursor))
            return (list.artifacts.map { ($0.artifactID.rawValue, "\($0.kind)  \($0.title ?? "")") }, list.nextCursor)
        }
    }

    package func toolCallID(_ text: String) throws -> ToolCallID {
        try Lookup.find(text, "tool call", list: "aos run list --status waiting") { cursor in
            let list = try get(.toolCalls, query: page(cursor))
            return (
                list.toolCalls.map { ($0.toolCallID.rawValue, "\($0.status.rawValue)  \($0.toolName)") },
                list.nextCursor
            )
        }
    }

    /// By id or by exact title.
    package func roomID(_ text: String) throws -> RoomID {
        if let room = try room(titled: text) { return room }
        return try Lookup.find(text, "room", list: "aos room list") { cursor in
            let list = try get(.rooms, query: cursor.map { [("cursor", $0)] } ?? [])
            return (list.rooms.map { ($0.roomID.rawValue, $0.title) }, list.nextCursor)
        }
    }

    /// The room of exactly this title, the oldest if there are several.
    package func room(titled title: String) throws -> RoomID? {
        if Lookup.isWhole(title, prefix: RoomKind.prefix) { return nil }
        var (found, cursor): (Room?, String?)
        repeat {
            let list = try get(.rooms, query: cursor.map { [("cursor", $0)] } ?? [])
            for room in list.rooms where room.title == title {
                if found.map({ room.createdAt < $0.createdAt }) ?? true { found = room }
            }
            cursor = list.nextCursor
        } while cursor != nil
        return found?.roomID
    }
}
