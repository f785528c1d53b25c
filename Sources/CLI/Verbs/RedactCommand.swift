import JSON
import Platform
import Shared

enum RedactCommand {
    static let all: [Command] = [redact]

    /// Rewriting a large database takes its time.
    private static let eraseMilliseconds = 120_000
    private static let answerBytesMax = 64

    static let redact = Command(
        "redact", "Erase what an event said, for good and everywhere",
        details: """
            The text goes out of the history, the read models, search, kept answers and the database's files; an artifact's \
            bytes go too. That something was said, by whom and when, stays, and the history still verifies. Asks first, on a \
            terminal; elsewhere it wants --yes. The same text in other events, in exports and in backups is not touched.
            """,
        aliases: ["event erase"], arguments: [.event], options: [.reason, .yes, .json],
        examples: [
            Example("aos redact 4711 --reason 'asked by the person it is about'", "by its number in `aos events`"),
            Example("aos redact 019cb74c-7c28-7b7a-a366-c54c30fd6b2a --reason 'a slip' --yes", "in a script"),
        ]
    ) { invocation, session in
        guard let reason = invocation[.reason] else {
            throw Failure(.usage, "--reason TEXT is needed: it is kept in the history", next: ["aos help redact"])
        }
        let event = try event(invocation[.event], session)
        if !invocation.has(.yes) { try confirm(event, session) }
        let answer = try session.call(
            .eraseEvent, EraseEvent(reason: reason), ["event_id": event.eventID.rawValue],
            milliseconds: eraseMilliseconds)
        if invocation.has(.json) {
            session.printJSON(try JSON.value(of: answer))
            return .ok
        }
        session.console.print(Table.tabbed([answer.eventID.rawValue, "erased", answer.erasedByEventID.rawValue]))
        if !answer.scrubbed {
            session.console.note(
                "aos redact: the database's files were not rewritten yet: see docs/how-to/prove-what-happened.md")
        }
        return .ok
    }

    /// By its id, or by its number in the list of events.
    private static func event(_ text: String, _ session: Session) throws -> EventRow {
        guard let number = Int64(text), number > 0 else {
            return try session.get(.event, ["event_id": text]).event
        }
        let query = [("include_system", "1"), ("limit", "1"), ("cursor", String(number - 1))]
        guard let found = try session.get(.events, query: query).events.first, found.globalSeq == number else {
            throw Failure(.failed, "no event of this workspace has the number \(number)", next: ["aos events"])
        }
        return found
    }

    private static func confirm(_ event: EventRow, _ session: Session) throws {
        let console = session.console
        guard console.error.isTerminal, Terminal.isTerminal(0) else {
            throw Failure(.usage, "nobody can be asked here, and what is erased is gone: add --yes")
        }
        let said = String(decoding: event.data.jsonBytes, as: UTF8.self)
        console.note(
            "\(event.eventType) by \(event.actorType.rawValue):\(CleanText.line(event.actorID)), \(event.recordedAt)")
        console.note(
            TextWidth.cut(CleanText.line(said), to: max(20, console.error.columns), mark: console.error.ellipsis))
        console.note("Erase what it said, for good? Type yes:")
        guard try Terminal.readLine(bytesMax: answerBytesMax) == "yes" else {
            throw Failure(.failed, "nothing was erased")
        }
    }
}
