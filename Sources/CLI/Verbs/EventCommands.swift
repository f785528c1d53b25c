import HTTP
import JSON
import Platform
import Shared

enum EventCommands {
    static let all: [Command] = [list]

    private static let followMilliseconds: Int64 = 400

    static let list = Command(
        "events", "The history: who did what, when and why",
        details: """
            The last events of the workspace and of the instance itself (starts, kill switch), oldest first. With --json
            one event per line.
            """,
        aliases: ["event list", "events list"], options: [.run, .room, .type, .follow, .limit, .json],
        examples: [
            Example("aos events --type kill_switch.engaged", "who stopped external writes, when, and why"),
            Example("aos events --follow", "everything that happens from now on"),
            Example("aos events --run 01KQ --json recorded_at,event_type", "one run, for a program"),
        ]
    ) { invocation, session in
        var filter = [("include_system", "1")]
        if let run = invocation[.run] { filter.append(("run_id", try session.runID(run).rawValue)) }
        if let room = invocation[.room] { filter.append(("room_id", try session.roomID(room).rawValue)) }
        if let type = invocation[.type] {
            if EventCatalogue.decoders[type] == nil, !type.contains("*"),
                let near = Nearest.to(type, among: EventCatalogue.types)
            {
                session.console.note(
                    "aos events: no event of this release is called '\(CleanText.line(type))'; did you mean \(near)?")
            }
            filter.append(("event_type", type))
        }
        let log = EventReader(session, filter)
        let fields = try selection(invocation)
        let interruption = invocation.has(.follow) ? try Interruption.bySignals() : nil
        let (events, last) = try log.tail(invocation.integer(.limit) ?? 50)
        if let interruption {
            var printer = Printer(session, isJSON: invocation.has(.json), fields, isStreaming: true)
            printer.show(events)
            var after = last
            var outage = Outage(session)
            repeat {
                session.console.flush()
                do {
                    printer.show(try log.all(after: &after))
                    outage.end()
                } catch { try outage.bear(error) }
                session.console.flush()
            } while interruption.pause(milliseconds: followMilliseconds)
            return .usage
        }
        var printer = Printer(session, isJSON: invocation.has(.json), fields, isStreaming: false)
        printer.show(events)
        printer.end()
        return .ok
    }

    /// An api that is away for a while, as while it is started again.
    private struct Outage {
        let session: Session
        private var since: Int64?

        init(_ session: Session) { self.session = session }

        /// - Throws: The error, when it is none that passes, or has not passed for too long.
        mutating func bear(_ error: any Error) throws {
            guard let failure = error as? Failure, failure.isOutage else { throw error }
            let now = session.clock.monotonicMilliseconds()
            guard let since else {
                session.console.note("aos: connection lost; trying again \(session.console.error.ellipsis)")
                return since = now
            }
            if now - since > RoomFollower.outageMillisecondsMax { throw error }
        }

        mutating func end() {
            if since != nil { session.console.note("aos: connected again") }
            since = nil
        }
    }

    /// The members that one event per line is cut down to.
    static func selection(_ invocation: Invocation) throws -> FieldSelection? {
        let names = invocation.names(.json)
        return names.isEmpty ? nil : try FieldSelection(names, of: EventRow.self)
    }

    /// A table when all rows are known, line by line when they come one after the other.
    private struct Printer {
        let session: Session
        let isJSON: Bool
        let fields: FieldSelection?
        let isStreaming: Bool
        var memory = EventSentence.Memory(keepsTimes: false)
        var rows: [[Table.Cell]] = []

        init(_ session: Session, isJSON: Bool, _ fields: FieldSelection?, isStreaming: Bool) {
            (self.session, self.isJSON, self.fields, self.isStreaming) = (session, isJSON, fields, isStreaming)
        }

        private static let columns: [Table.Column] = [
            .init("SEQ", isNumber: true), .init("TIME"), .init("TYPE"), .init("ACTOR", isFlexible: true), .init("RUN"),
            .init("WHAT", isFlexible: true),
        ]

        mutating func show(_ events: [(row: EventRow, json: JSONValue)]) {
            for (row, json) in events {
                if isJSON {
                    session.console.write((fields?.pick(from: json) ?? json).jsonBytes + [UInt8(ascii: "\n")])
                    continue
                }
                let event = try? EventCatalogue.decode(row.eventType, row.data)
                if let event { memory.learn(row, event) }
                let sentence = event.map { EventSentence(row, $0, memory) } ?? EventSentence(row)
                rows.append(cells(row, sentence))
            }
            if isStreaming { end() }
        }

        mutating func end() {
            guard !isJSON else { return }
            if isStreaming, session.console.output.isTerminal {
                for row in rows { session.console.print(line(row)) }
            } else if isStreaming {
                for row in rows { session.console.print(Table.tabbed(row.map(\.raw))) }
            } else {
                session.print(Table(Self.columns, rows), ifEmpty: "nothing has happened that matches")
            }
            rows = []
        }

        private func cells(_ row: EventRow, _ sentence: EventSentence) -> [Table.Cell] {
            let today = Amounts.timeOfDay(row.recordedAt)
            let isToday = session.now.milliseconds - row.recordedAt.milliseconds < 20 * 3_600_000
            return [
                Table.Cell(String(row.globalSeq), .dim),
                Table.Cell(
                    row.recordedAt.description,
                    shown: isToday ? today : "\(row.recordedAt.description.prefix(10)) \(today.prefix(8))", .dim),
                Table.Cell(row.eventType, style(sentence.mark)), Table.Cell("\(row.actorType.rawValue):\(row.actorID)"),
                Table.Cell(row.runID?.rawValue ?? "", shown: row.runID.map { "…\($0.rawValue.suffix(6))" } ?? "", .dim),
                Table.Cell(sentence.text),
            ]
        }

        private func line(_ row: [Table.Cell]) -> String {
            let screen = session.console.output
            let widths = [6, 12, 24, 18, 7]
            var line = ""
            for (cell, width) in zip(row, widths) {
                let text = TextWidth.cut(CleanText.line(cell.shown), to: width, mark: screen.ellipsis)
                line += screen.styled(TextWidth.padded(text, to: width), cell.style) + "  "
            }
            let used = widths.reduce(0, +) + 2 * widths.count
            let text = CleanText.line(row.last?.shown ?? "")
            return line + TextWidth.cut(text, to: max(20, screen.columns - used), mark: screen.ellipsis)
        }

        private func style(_ mark: EventSentence.Mark) -> Style {
            switch mark {
            case .failed, .refused: .red
            case .asking, .waiting, .cancelled: .yellow
            case .succeeded: .green
            case .queued, .note: .dim
            case .artifact, .call, .started: .plain
            }
        }
    }
}

/// Reads the log through the api, forwards.
struct EventReader {
    private let session: Session
    private let filter: [(String, String)]

    init(_ session: Session, _ filter: [(String, String)]) { (self.session, self.filter) = (session, filter) }

    /// The last events that match, oldest first, and the number of the last one.
    func tail(_ count: Int) throws -> (events: [(row: EventRow, json: JSONValue)], last: Int64) {
        guard let last = try lastSeq() else { return ([], 0) }
        var width = Int64(count)
        while true {
            var after = max(0, last - width)
            let isWhole = after == 0
            let found = try all(after: &after)
            if found.count >= count || isWhole { return (found.suffix(count), max(after, last)) }
            width = max(width * 8, 1024)
        }
    }

    /// All events behind a number, which moves on to the last of them.
    func all(after seq: inout Int64) throws -> [(row: EventRow, json: JSONValue)] {
        var found: [(row: EventRow, json: JSONValue)] = []
        while true {
            let page = try page(after: seq, limit: Session.pageMax)
            found += page
            if let last = page.last { seq = last.row.globalSeq }
            if page.count < Session.pageMax { return found }
        }
    }

    /// The number of the last event that matches, found in a logarithmic number of questions.
    private func lastSeq() throws -> Int64? {
        guard var low = try next(after: 0) else { return nil }
        var step: Int64 = 256
        while let found = try next(after: low + step) {
            low = found
            step *= 4
        }
        var high = low + step
        while low < high {
            let middle = low + (high - low) / 2
            if let found = try next(after: middle) { low = found } else { high = middle }
        }
        return low
    }

    private func next(after seq: Int64) throws -> Int64? { try page(after: seq, limit: 1).first?.row.globalSeq }

    private func page(after seq: Int64, limit: Int) throws -> [(row: EventRow, json: JSONValue)] {
        let query = filter + [("limit", String(limit)), ("cursor", String(seq))]
        let answer = try JSON.parse(session.bytes(Endpoint.events, query: query), limits: Session.answerLimits)
        return try (answer["events"]?.arrayValue ?? []).map { (try JSON.decode(EventRow.self, from: $0), $0) }
    }
}
