import APIClient
import HTTP
package import JSON
import Shared

/// The kinds of things that have an id: how they are listed, found by enough of it, and read.
package enum ThingKind: String, CaseIterable, Sendable {
    case approval, artifact, call, constraint, engine, event, experiment, incident, lesson, message, room, run,
        scorecard
    case step, thread

    package typealias Row = (id: String, about: String)
    package typealias Page = (rows: [Row], next: String?)

    package var prefix: String {
        switch self {
        case .approval: ApprovalKind.prefix
        case .artifact: ArtifactKind.prefix
        case .call: ToolCallKind.prefix
        case .constraint: ConstraintKind.prefix
        case .engine: EngineKind.prefix
        case .event: EventKind.prefix
        case .experiment: ExperimentKind.prefix
        case .incident: IncidentKind.prefix
        case .lesson: LessonKind.prefix
        case .message: MessageKind.prefix
        case .room: RoomKind.prefix
        case .run: RunKind.prefix
        case .scorecard: ScorecardKind.prefix
        case .step: StepKind.prefix
        case .thread: ThreadKind.prefix
        }
    }

    /// How it is called in a sentence.
    var words: String { self == .call ? "tool call" : rawValue }

    /// Where ids of the kind can be looked up.
    var listCommand: String {
        switch self {
        case .approval: "aos approvals --all"
        case .event: "aos events"
        case .message: "aos message list THREAD"
        case .step: "aos step list RUN"
        default: "aos \(rawValue) list"
        }
    }

    /// The kind whose prefix the id has.
    package static func of(_ id: String) -> ThingKind? {
        allCases.first { !$0.prefix.isEmpty && id.hasPrefix($0.prefix) }
    }

    // MARK: Lists

    /// What is there behind the cursor, with a few words about each.
    package func page(_ cursor: String?, _ session: Session) throws -> Page {
        let query = [("limit", String(Session.pageMax))] + (cursor.map { [("cursor", $0)] } ?? [])
        switch self {
        case .approval:
            let list = try session.get(.approvals, query: query)
            return (
                list.approvals.map { ($0.approvalID.rawValue, "\($0.status.rawValue)  \($0.title ?? $0.action)") },
                list.nextCursor
            )
        case .artifact:
            let list = try session.get(.artifacts, query: query)
            return (list.artifacts.map { ($0.artifactID.rawValue, "\($0.kind)  \($0.title ?? "")") }, list.nextCursor)
        case .call:
            let list = try session.get(.toolCalls, query: query)
            return (
                list.toolCalls.map { ($0.toolCallID.rawValue, "\($0.status.rawValue)  \($0.toolName)") },
                list.nextCursor
            )
        case .constraint:
            let list = try session.get(.constraints, query: query)
            return (list.constraints.map { ($0.constraintID.rawValue, $0.guidance) }, list.nextCursor)
        case .engine:
            let engines = try session.get(.engines).engines
            return (engines.map { ($0.engineID.rawValue, "\($0.status.rawValue)  \($0.engineName)") }, nil)
        case .event: return ([], nil)
        case .experiment:
            let list = try session.get(.experiments, query: query)
            return (
                list.experiments.map { ($0.experimentID.rawValue, "\($0.status.rawValue)  \($0.title)") },
                list.nextCursor
            )
        case .incident:
            let list = try session.get(.incidents, query: query)
            return (
                list.incidents.map { ($0.incidentID.rawValue, "\($0.status.rawValue)  \($0.title)") }, list.nextCursor
            )
        case .lesson:
            let list = try session.get(.lessons, query: query)
            return (list.lessons.map { ($0.lessonID.rawValue, $0.summary) }, list.nextCursor)
        case .message: return try recorded("message.created", "message_id", "content_md", query, session)
        case .room:
            let list = try session.get(.rooms, query: cursor.map { [("cursor", $0)] } ?? [])
            return (list.rooms.map { ($0.roomID.rawValue, $0.title) }, list.nextCursor)
        case .run:
            let list = try session.get(.runs, query: query)
            return (list.runs.map { ($0.runID.rawValue, "\($0.status.rawValue)  \($0.title ?? "")") }, list.nextCursor)
        case .scorecard:
            let list = try session.get(.scorecards, query: query)
            return (
                list.scorecards.map { ($0.scorecardID.rawValue, "\($0.decision.rawValue)  \($0.templateKey)") },
                list.nextCursor
            )
        case .step: return try recorded("step.created", "step_id", "plan_step_id", query, session)
        case .thread: return try recorded("thread.created", "thread_id", "title", query, session)
        }
    }

    /// Things that no list shows over all rooms and runs are found by the event that brought them.
    private func recorded(
        _ type: String, _ key: String, _ about: String, _ query: [(String, String)], _ session: Session
    ) throws -> Page {
        let list = try session.get(.events, query: query + [("event_type", type)])
        return (
            list.events.compactMap { row in
                row.data[key]?.stringValue.map { ($0, row.data[about]?.stringValue ?? "") }
            }, list.nextCursor
        )
    }

    // MARK: One

    /// The thing as the api gives it.
    package func read(_ id: String, _ session: Session) throws -> JSONValue {
        func one<Answer>(_ endpoint: Endpoint<Nothing, Answer>, _ parameter: String) throws -> JSONValue {
            try JSON.parse(session.bytes(endpoint, [parameter: id]), limits: Session.answerLimits)
        }
        switch self {
        case .approval: return try one(.approval, "approval_id")
        case .artifact: return try one(.artifact, "artifact_id")
        case .call: return try one(.toolCall, "tool_call_id")
        case .constraint: return try among(Endpoint.constraints, "constraints", "constraint_id", id, session)
        case .engine: return try among(Endpoint.engines, "engines", "engine_id", id, session)
        case .event: return try one(.event, "event_id")
        case .experiment: return try one(.experiment, "experiment_id")
        case .incident: return try one(.incident, "incident_id")
        case .lesson: return try one(.lesson, "lesson_id")
        case .message: return try one(.message, "message_id")
        case .room: return try one(.room, "room_id")
        case .run: return try one(.run, "run_id")
        case .scorecard: return try one(.scorecard, "scorecard_id")
        case .step:
            return try among(Endpoint.steps, "steps", "step_id", id, session, ["run_id": run(ofStep: id, session)])
        case .thread: return try one(.thread, "thread_id")
        }
    }

    /// A thing that has no page of its own, out of its list.
    private func among<Answer>(
        _ endpoint: Endpoint<Nothing, Answer>, _ list: String, _ key: String, _ id: String, _ session: Session,
        _ parameters: [String: String] = [:]
    ) throws -> JSONValue {
        var cursor: String?
        for _ in 0..<Lookup.pagesMax {
            let answer = try JSON.parse(
                session.bytes(endpoint, parameters, query: cursor.map { [("cursor", $0)] } ?? []),
                limits: Session.answerLimits)
            if let found = answer[list]?.arrayValue?.first(where: { $0[key]?.stringValue == id }) {
                return .object([(rawValue, found)].reduce(into: JSONObject()) { $0[$1.0] = $1.1 })
            }
            cursor = answer["next_cursor"]?.stringValue
            if cursor == nil { break }
        }
        throw Failure(.failed, "there is no \(words) \(id)", next: [listCommand])
    }

    private func run(ofStep id: String, _ session: Session) throws -> String {
        guard let run = try session.get(.events, query: [("step_id", id), ("limit", "1")]).events.first?.runID else {
            throw Failure(.failed, "there is no step \(id)", next: [listCommand])
        }
        return run.rawValue
    }
}

extension Session {
    /// The thing that is meant by any id, by enough of it, or by an event's number in the log.
    package func thing(_ text: String) throws -> (kind: ThingKind, id: String) {
        if let kind = ThingKind.of(text) { return (kind, try id(text, kind)) }
        if text.utf8.first != UInt8(ascii: "0"), let number = Int64(text), number > 0 {
            return (.event, try eventID(at: number))
        }
        if text.utf8.contains(UInt8(ascii: "-")) { return (.event, text) }
        var found: [(kind: ThingKind, id: String, about: String)] = []
        for kind in ThingKind.allCases where kind != .event {
            let rows = try Lookup.all { try kind.page($0, self) }
            let matching = Set(Lookup.matches(text, among: rows.map(\.id), prefix: kind.prefix))
            found += rows.filter { matching.contains($0.id) }.map { (kind, $0.id, $0.about) }
        }
        if found.count == 1 { return (found[0].kind, found[0].id) }
        guard !found.isEmpty else {
            throw Failure(.failed, "nothing has an id like '\(text)'", next: ["aos search \(ToolSummary.quoted(text))"])
        }
        throw Lookup.ambiguous(text, "things", found.map { ($0.id, "\($0.kind.words)  \($0.about)") })
    }

    /// The event at a place in the log.
    private func eventID(at number: Int64) throws -> String {
        let query = [("include_system", "1"), ("cursor", String(number - 1)), ("limit", "1")]
        guard let row = try get(.events, query: query).events.first, row.globalSeq == number else {
            throw Failure(
                .failed, "there is no event with the number \(number) in this workspace", next: ["aos events"])
        }
        return row.eventID.rawValue
    }
}
