import HTTP
import JSON
import Shared

enum InspectCommands {
    static let all: [Command] = [inspect, why]

    static let inspect = Command(
        "inspect", "Anything by its id, as JSON",
        details: """
            Runs, steps, calls, approvals, artifacts, rooms, threads, messages, incidents, experiments, scorecards, lessons,
            constraints, engines and events. Enough of the id will do; what could be several things is listed.
            """,
        arguments: [.anyID],
        examples: [
            Example("aos inspect appr_01KQ", "whatever it is"), Example("aos inspect 35", "the event number 35"),
        ]
    ) { invocation, session in
        let (kind, id) = try session.thing(invocation[.anyID])
        session.printJSON(try kind.read(id, session))
        return .ok
    }

    // MARK: why

    static let why = Command(
        "why", "What led to this, back to its origin, and what came of it",
        details: """
            Walks from an event, or from the last event of a run, step, call, approval, artifact or anything else with an
            id, along its causes: who asked, which rule said what, who approved. Then what it led to. At most 20 lines.
            In a pipe: number, time, type, actor, what; the thing itself is marked by `*` in front.
            """,
        arguments: [.anyID], options: [.json],
        examples: [
            Example("aos why tc_01KQ", "why this call was made"),
            Example("aos why 34", "why the event number 34 happened"),
        ]
    ) { invocation, session in
        let (kind, id) = try session.thing(invocation[.anyID])
        let story = try Story(of: try lastEvent(of: id, kind, session), session)
        if invocation.has(.json) {
            try session.printJSON(invocation, story.record)
        } else {
            story.print(session)
        }
        return .ok
    }

    private static func lastEvent(of id: String, _ kind: ThingKind, _ session: Session) throws -> String {
        if kind == .event { return id }
        let answer = try kind.read(id, session)
        let thing = answer.objectValue?.first { _ in true }?.value
        if let event = thing?["last_event_id"]?.stringValue { return event }
        // Of a run's parts the event that brought them names them, if nothing else does.
        throw Failure(
            .failed, "the \(kind.words) \(id) names no event that changed it last", next: ["aos inspect \(id)"])
    }
}

/// An event, its causes back to the first, and what it led to.
private struct Story {
    static let linesMax = 20
    /// How far back it looks.
    private static let causesMax = 200
    /// How many lines are kept for what came of it.
    private static let effectsLinesMax = 5
    private static let originLinesMax = 3
    /// How many pages of events are looked at for what went wrong before, and for what followed.
    private static let pagesMax = 5
    /// What goes wrong on the way is not always the recorded cause: a run that fails names its last step's beginning.
    private static let setbacks: Set<String> = [
        ApprovalExpired.type, PolicyDenied.type, StepFailed.type, ToolFailed.type, ToolUnknown.type,
    ]

    struct Record: Codable {
        var event: EventRow
        /// The origin first.
        var causes: [EventRow]
        /// Whether there are causes before the first of these.
        var truncated: Bool
        var effects: [EventRow]
    }

    let record: Record

    init(of id: String, _ session: Session) throws {
        let event = try session.get(.event, ["event_id": id]).event
        var (causes, next): ([EventRow], EventID?) = ([], event.causationID)
        while let cause = next, causes.count < Self.causesMax {
            let row = try session.get(.event, ["event_id": cause.rawValue]).event
            causes.append(row)
            next = row.causationID
        }
        causes += try Self.setbacks(of: event, [event] + causes, session)
        record = Record(
            event: event, causes: causes.sorted { $0.globalSeq < $1.globalSeq }, truncated: next != nil,
            effects: try Self.effects(of: event, session))
    }

    /// What had gone wrong before in the run, because of one of the causes.
    private static func setbacks(
        of event: EventRow, _ chain: [EventRow], _ session: Session
    ) throws -> [EventRow] {
        guard let run = event.runID else { return [] }
        let query = [
            ("run_id", run.rawValue), ("event_types", setbacks.sorted().joined(separator: ",")),
            ("limit", String(Session.pageMax)),
        ]
        var (found, known, cursor): ([EventRow], Set<EventID>, String?) = ([], Set(chain.map(\.eventID)), nil)
        for _ in 0..<pagesMax {
            let page = try session.get(.events, query: query + (cursor.map { [("cursor", $0)] } ?? []))
            for row in page.events where row.globalSeq < event.globalSeq && !known.contains(row.eventID) {
                guard let cause = row.causationID, known.contains(cause) else { continue }
                known.insert(row.eventID)
                found.append(row)
            }
            cursor = page.nextCursor
            if cursor == nil { break }
        }
        return found
    }

    /// Everything that has the event among its causes, oldest first.
    private static func effects(of event: EventRow, _ session: Session) throws -> [EventRow] {
        var query = [("limit", String(Session.pageMax)), ("include_system", "1")]
        // What follows from an event of a run is in that run, else in what belongs together.
        query.append(event.runID.map { ("run_id", $0.rawValue) } ?? ("correlation_id", event.correlationID))
        var (found, known): ([EventRow], Set<EventID>) = ([], [event.eventID])
        var cursor: String? = String(event.globalSeq)
        for _ in 0..<pagesMax {
            guard let from = cursor else { break }
            let page = try session.get(.events, query: query + [("cursor", from)])
            for row in page.events where row.causationID.map(known.contains) ?? false {
                known.insert(row.eventID)
                found.append(row)
            }
            cursor = page.nextCursor
        }
        return found
    }

    func print(_ session: Session) {
        let effectsShown = min(record.effects.count, Self.effectsLinesMax)
        let hasMoreEffects = record.effects.count > effectsShown
        let room = Self.linesMax - 1 - effectsShown - (hasMoreEffects ? 1 : 0)
        var printer = Printer(session, record.causes + [record.event] + record.effects)
        if record.truncated { session.console.note("aos why: only the last \(Self.causesMax) causes were looked at") }
        if record.causes.count <= room {
            for row in record.causes { printer.line(row, .cause) }
        } else {
            for row in record.causes.prefix(Self.originLinesMax) { printer.line(row, .cause) }
            let last = room - Self.originLinesMax - 1
            printer.note("\(record.causes.count - Self.originLinesMax - last) more between")
            for row in record.causes.suffix(last) { printer.line(row, .cause) }
        }
        printer.line(record.event, .subject)
        for row in record.effects.prefix(effectsShown) { printer.line(row, .effect) }
        if hasMoreEffects { printer.note("\(record.effects.count - effectsShown) more followed") }
        if let run = record.event.runID { session.advise("all of it: aos logs \(run)") }
    }

    private struct Printer {
        enum Place { case cause, subject, effect }

        private let session: Session
        private var memory = EventSentence.Memory(keepsTimes: false)
        /// Who did what the line before tells of: needs no saying twice.
        private var lastActor = ""

        init(_ session: Session, _ rows: [EventRow]) {
            self.session = session
            for row in rows {
                if let event = try? EventCatalogue.decode(row.eventType, row.data) { memory.learn(row, event) }
            }
        }

        mutating func line(_ row: EventRow, _ place: Place) {
            let sentence = EventSentence(row, memory)
            let screen = session.console.output
            let text = sentence.text + verdict(row)
            let actor = "\(row.actorType.rawValue):\(row.actorID)"
            guard screen.isTerminal else {
                let mark = place == .subject ? "*" : ""
                return session.console.print(
                    Table.tabbed([
                        mark, String(row.globalSeq), row.recordedAt.description, row.eventType, actor,
                        row.stepID.map { memory.name($0) } ?? "", text,
                    ]))
            }
            let time = screen.styled(Amounts.timeOfDay(row.recordedAt), .dim)
            let arrow =
                switch place {
                case .cause: " "
                case .subject: screen.hasUnicode ? "▸" : "*"
                case .effect: screen.hasUnicode ? "↳" : "+"
                }
            // The first line of a step names it anyway.
            let step = sentence.depth == 1 ? "" : row.stepID.map { "\(memory.name($0)): " } ?? ""
            let by = sentence.text.contains(row.actorID) || actor == lastActor ? "" : "  \(actor)"
            lastActor = actor
            let whole = CleanText.line(step + text)
            let room = max(20, session.console.output.columns - 20 - TextWidth.of(by))
            let cut = TextWidth.cut(whole, to: room, mark: screen.ellipsis)
            session.console.print(
                "\(time)  \(arrow) \(sentence.mark.text(screen)) \(screen.styled(cut, place == .subject ? .bold : .plain))"
                    + screen.styled(CleanText.line(by), .dim))
        }

        func note(_ text: String) {
            let screen = session.console.output
            session.console.print(
                screen.isTerminal
                    ? screen.styled("                \(screen.ellipsis) \(text)", .dim) : "\t\t\t\t\t\t(\(text))")
        }

        /// What policy said to a call that was let through: its refusals are events of their own.
        private func verdict(_ row: EventRow) -> String {
            guard row.eventType == ToolInvoked.type, let rule = row.policyContext?["rule_id"]?.stringValue else {
                return ""
            }
            return "  (allowed by rule \(rule))"
        }
    }
}
