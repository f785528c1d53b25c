import HTTP
import JSON
import Shared

/// What went wrong, why, and what was learned from it.
enum IncidentCommands {
    static let all: [Command] = [list, view, open, rca, learning, close]

    static let list = Command.list(
        "incident list", "What went wrong, latest change first", aliases: ["incident ls", "incidents"],
        options: [.status, .severity, .category, .run, .room],
        examples: [
            Example("aos incidents --status open", "what still wants a root cause or a learning"),
            Example("aos incident list --run 01KQ", "those of one run"),
        ], ifEmpty: "no incidents",
        columns: [
            .init("INCIDENT"), .init("STATUS"), .init("SEVERITY"), .init("TITLE", isFlexible: true), .init("WANTS"),
            .init("RUN"), .init("OPENED"),
        ],
        reading: { invocation, session in
            Reading(
                .incidents,
                query: try session.filters(
                    invocation,
                    [
                        .status: "status", .severity: "severity", .category: "category", .run: "run_id",
                        .room: "room_id",
                    ]))
        }, rows: \.incidents,
        cells: { incident, session in
            [
                Table.Cell(incident.incidentID.rawValue),
                Table.Cell(incident.status.rawValue, incident.status == .open ? .red : .dim),
                Table.Cell(incident.severity?.rawValue ?? ""), Table.Cell(incident.title, .bold),
                Table.Cell(wants(incident).joined(separator: ", "), .yellow),
                Table.Cell(incident.runID?.rawValue ?? "", shown: session.end(of: incident.runID?.rawValue), .dim),
                session.age(incident.createdAt),
            ]
        })

    /// What it takes to close it.
    private static func wants(_ incident: Incident) -> [String] {
        guard incident.status == .open else { return [] }
        return (incident.rcaUpdatedAt == nil ? ["root cause"] : []) + (incident.learningCount == 0 ? ["learning"] : [])
    }

    static let view = Command.view(
        "incident view", "One incident: what went wrong, why, and what was learned", aliases: ["incident show"],
        argument: .incident,
        examples: [
            Example("aos incident view inc_01KQ", "and what it still takes to close it"),
            Example("aos incident view inc_01KQ --json title,learning.note", "only these members"),
        ],
        reading: { text, session in Reading(.incident, ["incident_id": try session.incidentID(text).rawValue]) },
        show: { answer, session in
            let incident = answer.incident
            session.print(try Facts(of: incident, session))
            let screen = session.console.output
            for note in answer.learning {
                session.console.print(
                    screen.isTerminal
                        ? screen.styled("learned", .dim) + "  \(CleanText.line(note.note))"
                        : Table.tabbed(["learning", note.note]))
            }
            guard incident.status == .open else { return }
            let id = incident.incidentID
            if incident.rcaUpdatedAt == nil { session.advise("next: aos incident rca \(id) TEXT") }
            if incident.learningCount == 0 { session.advise("next: aos incident learning \(id) TEXT") }
            if wants(incident).isEmpty { session.advise("next: aos incident close \(id)") }
        })

    static let open = Command(
        "incident open", "Say that something went wrong", aliases: ["incident create"], arguments: [.incidentTitle],
        options: [.summary, .severity, .category, .run, .room, .json],
        examples: [
            Example("aos incident open 'report went out twice' --severity high --run 01KQ", "prints the incident's id")
        ]
    ) { invocation, session in
        let body = OpenIncident(
            title: invocation[.incidentTitle], summary: invocation[.summary], severity: invocation[.severity],
            category: invocation[.category], roomID: try invocation[Option.room].map { try session.roomID($0) },
            runID: try invocation[Option.run].map { try session.runID($0) })
        let answer = try session.call(.openIncident, body)
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(answer.incidentID.rawValue)
        }
        return .ok
    }

    static let rca = Command(
        "incident rca", "Write why it went wrong, in the place of what was written before",
        details: "TEXT of `-` reads standard input.", arguments: [.incident, .text], options: [.json],
        examples: [Example("aos incident rca inc_01KQ 'the retry did not look first'", "the root cause")]
    ) { invocation, session in
        let id = try session.incidentID(invocation[.incident])
        let text = try session.text(invocation[.text], bytesMax: Limits.textBytesMax)
        let answer = try session.call(.updateRCA, UpdateRCA(summary: text), ["incident_id": id.rawValue])
        return try done(answer, [id.rawValue, "root cause written"], invocation, session)
    }

    static let learning = Command(
        "incident learning", "Keep what was learned from it", details: "TEXT of `-` reads standard input.",
        aliases: ["incident learn"], arguments: [.incident, .text], options: [.json],
        examples: [Example("aos incident learning inc_01KQ 'ask for the outcome first'", "may be said more than once")]
    ) { invocation, session in
        let id = try session.incidentID(invocation[.incident])
        let text = try session.text(invocation[.text], bytesMax: Limits.textBytesMax)
        let answer = try session.call(.logLearning, LogLearning(note: text), ["incident_id": id.rawValue])
        return try done(answer, [answer.learningID.rawValue], invocation, session)
    }

    static let close = Command(
        "incident close", "It is understood: it has a root cause and a learning", arguments: [.incident],
        options: [.message, .json],
        examples: [Example("aos incident close inc_01KQ -m 'mended and tested'", "with a reason, kept in the history")]
    ) { invocation, session in
        let id = try session.incidentID(invocation[.incident])
        let answer = try session.call(
            .closeIncident, CloseIncident(reason: invocation[.message]), ["incident_id": id.rawValue])
        return try done(answer, [id.rawValue, "closed"], invocation, session)
    }

    private static func done(
        _ answer: some Codable, _ words: [String], _ invocation: Invocation, _ session: Session
    ) throws -> ExitCode {
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(Table.tabbed(words))
        }
        return .ok
    }
}
