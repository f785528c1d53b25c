package import Shared

/// Finds a thing by enough of its id.
package struct Lookup: Sendable {
    private static let suffixBytesMin = 4
    private static let candidatesMax = 10
    static let pagesMax = 100
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
    static func find(
        _ text: String, _ kind: ThingKind, page: (_ cursor: String?) throws -> ThingKind.Page
    ) throws -> String {
        if isWhole(text, prefix: kind.prefix) { return text }
        let rows = try all(page)
        let matching = matches(text, among: rows.map(\.id), prefix: kind.prefix)
        if matching.count == 1 { return matching[0] }
        guard !matching.isEmpty else {
            throw Failure(.failed, "no \(kind.words) has an id like '\(text)'", next: [kind.listCommand])
        }
        let about = Dictionary(rows.map { ($0.id, $0.about) }) { first, _ in first }
        throw ambiguous(text, "\(kind.words)s", matching.map { ($0, about[$0] ?? "") })
    }

    static func all(_ page: (_ cursor: String?) throws -> ThingKind.Page) throws -> [ThingKind.Row] {
        var (rows, cursor): ([ThingKind.Row], String?) = ([], nil)
        for _ in 0..<pagesMax {
            let found = try page(cursor)
            rows += found.rows
            cursor = found.next
            if cursor == nil { break }
        }
        // A row that has changed meanwhile may stand on two pages.
        var seen: Set<String> = []
        return rows.filter { seen.insert($0.id).inserted }
    }

    static func ambiguous(_ text: String, _ nouns: String, _ candidates: [(id: String, about: String)]) -> Failure {
        let more = candidates.count - candidatesMax
        return Failure(
            .usage, "'\(text)' could be any of \(candidates.count) \(nouns)",
            lines: candidates.prefix(candidatesMax).map { "\($0.id)  \($0.about)" }
                + (more > 0 ? ["and \(more) more"] : []),
            next: ["more of the id"])
    }
}

extension Session {
    /// The whole id of the thing that is meant.
    package func id(_ text: String, _ kind: ThingKind) throws -> String {
        try Lookup.find(text, kind) { try kind.page($0, self) }
    }

    package func runID(_ text: String) throws -> RunID { RunID(try id(text, .run)) }
    package func approvalID(_ text: String) throws -> ApprovalID { ApprovalID(try id(text, .approval)) }
    package func artifactID(_ text: String) throws -> ArtifactID { ArtifactID(try id(text, .artifact)) }
    package func toolCallID(_ text: String) throws -> ToolCallID { ToolCallID(try id(text, .call)) }
    package func incidentID(_ text: String) throws -> IncidentID { IncidentID(try id(text, .incident)) }

    /// By id or by exact title.
    package func roomID(_ text: String) throws -> RoomID {
        if let room = try room(titled: text) { return room }
        return RoomID(try id(text, .room))
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

    private static let mainRoomTitle = "main"

    /// The room for what names none; made if it is not there.
    func mainRoom() throws -> RoomID {
        if let room = try room(titled: Self.mainRoomTitle) { return room }
        return try call(.createRoom, CreateRoom(title: Self.mainRoomTitle)).roomID
    }
}
