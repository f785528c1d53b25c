import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

enum RoomCommands {
    static let all: [Command] = [list, view, create]

    static let list = Command.list(
        "room list", "The rooms", aliases: ["room ls"], limit: 1000,
        examples: [
            Example("aos room list", "every room, newest first"),
            Example("aos room list --json room_id,title", "only these members, for a program"),
        ], ifEmpty: "no rooms yet: aos room create TITLE",
        columns: [.init("ROOM"), .init("TITLE", isFlexible: true), .init("TOPIC", isFlexible: true), .init("CREATED")],
        reading: { _, _ in Reading(.rooms) }, rows: \.rooms,
        cells: { room, session in
            [
                Table.Cell(room.roomID.rawValue), Table.Cell(room.title, .bold), Table.Cell(room.topic ?? ""),
                session.age(room.createdAt),
            ]
        })

    static let view = Command.view(
        "room view", "One room", aliases: ["room show"], argument: .room,
        examples: [Example("aos room view main", "by its title, its id or enough of it")],
        reading: { text, session in Reading(.room, ["room_id": try session.roomID(text).rawValue]) },
        show: { answer, session in session.print(try Facts(of: answer.room, session)) })

    static let create = Command(
        "room create", "Open a room", aliases: ["room open"], arguments: [.roomTitle], options: [.json],
        examples: [Example("aos room create 'web site'", "prints the new room's id")]
    ) { invocation, session in
        let answer = try session.call(.createRoom, CreateRoom(title: invocation[.roomTitle]))
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(answer.roomID.rawValue)
        }
        return .ok
    }
}

enum StepCommands {
    static let all: [Command] = [list, view]

    static let view = Command(
        "step view", "One step: what it was given, and what came of it", aliases: ["step show"], arguments: [.step],
        options: [.json],
        examples: [Example("aos step view step_01KQ", "its input, its output or its error")]
    ) { invocation, session in
        if invocation.has(.json) { _ = try FieldSelection(invocation.names(.json), of: StepAnswer.self) }
        let answer = try ThingKind.step.read(session.id(invocation[.step], .step), session)
        if invocation.has(.json) {
            try session.printJSON(invocation, answer, as: StepAnswer.self)
        } else {
            session.print(try Facts(of: try JSON.decode(StepAnswer.self, from: answer).step, session))
        }
        return .ok
    }

    /// As the api gives one of another kind.
    private struct StepAnswer: Codable { var step: Step }

    static let list = Command(
        "step list", "The steps of a run", aliases: ["step ls"], arguments: [.run], options: [.json],
        examples: [Example("aos step list 01KQ", "each step, first first")]
    ) { invocation, session in
        let id = try session.runID(invocation[.run])
        if invocation.has(.json) {
            try session.printAnswer(invocation, Reading(.steps, ["run_id": id.rawValue]))
            return .ok
        }
        let steps = try session.get(.steps, ["run_id": id.rawValue]).steps
        session.print(
            Table(
                [
                    .init("STEP"), .init("NAME"), .init("STATUS"), .init("TITLE", isFlexible: true), .init("STARTED"),
                    .init("TOOK", isNumber: true),
                ],
                steps.map { step in
                    let took = step.endedAt.map { $0.milliseconds - step.createdAt.milliseconds }
                    return [
                        Table.Cell(step.stepID.rawValue), Table.Cell(step.planStepID ?? step.kind, .bold),
                        Table.Cell(step.status.rawValue, style(step.status)), Table.Cell(step.title ?? ""),
                        session.age(step.createdAt),
                        Table.Cell(took.map(String.init) ?? "", shown: took.map { Amounts.duration(milliseconds: $0) }),
                    ]
                }), ifEmpty: "the run has no steps yet")
        return .ok
    }

    private static func style(_ status: StepStatus) -> Style {
        switch status {
        case .queued, .skipped: .dim
        case .running: .blue
        case .waiting, .cancelled: .yellow
        case .succeeded: .green
        case .failed: .red
        }
    }
}

/// The tool calls of runs.
enum CallCommands {
    static let all: [Command] = [list, view]

    static let list = Command.list(
        "call list", "The tool calls of runs, oldest first", aliases: ["call ls"], options: [.run, .step],
        examples: [
            Example("aos call list --run 01KQ", "what one run did, call by call"),
            Example("aos call list --run 01KQ --json tool_call_id,input.url", "where its requests went"),
        ], ifEmpty: "nothing was called yet",
        columns: [
            .init("CALL"), .init("STATUS"), .init("WHAT", isFlexible: true), .init("ACTION"), .init("EFFECT"),
            .init("TRY", isNumber: true), .init("STARTED"), .init("TOOK", isNumber: true),
        ],
        reading: { invocation, session in
            Reading(.toolCalls, query: try session.filters(invocation, [.run: "run_id", .step: "step_id"]))
        }, rows: \.toolCalls,
        cells: { call, session in
            let took = call.endedAt.map { $0.milliseconds - call.startedAt.milliseconds }
            return [
                Table.Cell(call.toolCallID.rawValue), Table.Cell(call.status.rawValue, style(call.status)),
                Table.Cell(ToolSummary.arguments(call.toolName, call.input), .bold), Table.Cell(call.action),
                Table.Cell(call.effect.rawValue, .dim), Table.Cell(String(call.tryNo)), session.age(call.startedAt),
                Table.Cell(took.map(String.init) ?? "", shown: took.map { Amounts.duration(milliseconds: $0) }),
            ]
        })

    static let view = Command.view(
        "call view", "One tool call: exactly what was asked for, and what came of it", aliases: ["call show"],
        argument: .call, examples: [Example("aos call view tc_01KQ", "its arguments, output and approval")],
        reading: { text, session in Reading(.toolCall, ["tool_call_id": try session.toolCallID(text).rawValue]) },
        show: { answer, session in session.print(try Facts(of: answer.toolCall, session)) })

    private static func style(_ status: ToolCallStatus) -> Style {
        switch status {
        case .waiting: .yellow
        case .running: .blue
        case .succeeded: .green
        case .failed: .red
        case .unknown: .boldYellow
        }
    }
}

enum ArtifactCommands {
    static let all: [Command] = [list, view, get]

    private static let shownBytesMax = 4 << 20

    static let list = Command.list(
        "artifact list", "What runs have kept", aliases: ["artifact ls"], options: [.run],
        examples: [Example("aos artifact list --run 01KQ", "what one run has kept, newest first")],
        ifEmpty: "nothing was kept yet",
        columns: [
            .init("ARTIFACT"), .init("KIND"), .init("TITLE", isFlexible: true), .init("SIZE", isNumber: true),
            .init("TYPE", isFlexible: true), .init("RUN"), .init("CREATED"),
        ],
        reading: { invocation, session in
            Reading(.artifacts, query: try session.filters(invocation, [.run: "run_id"]))
        }, rows: \.artifacts,
        cells: { artifact, session in
            [
                Table.Cell(artifact.artifactID.rawValue), Table.Cell(artifact.kind),
                Table.Cell(artifact.title ?? "", .bold),
                Table.Cell(
                    artifact.sizeBytes.map(String.init) ?? "", shown: artifact.sizeBytes.map { Amounts.bytes($0) }),
                Table.Cell(artifact.mimeType ?? artifact.contentType.rawValue, .dim),
                Table.Cell(artifact.runID.rawValue, shown: session.end(of: artifact.runID.rawValue), .dim),
                session.age(artifact.createdAt),
            ]
        })

    static let view = Command.view(
        "artifact view", "One artifact: what it is, not what is in it", aliases: ["artifact show"], argument: .artifact,
        examples: [Example("aos artifact view art_01KQ", "its kind, size and SHA-256")],
        reading: { text, session in Reading(.artifact, ["artifact_id": try session.artifactID(text).rawValue]) },
        show: { answer, session in session.print(try Facts(of: answer.artifact, session)) })

    static let get = Command(
        "artifact get", "The bytes of an artifact",
        details: """
            Without --output they go to standard output as they are; on a terminal only if they are text, and then cleaned.
            """,
        arguments: [.artifact], options: [.output],
        examples: [
            Example("aos artifact get art_01KQ -o report.txt", "into a file"),
            Example("aos artifact get art_01KQ | sha256sum", "into another program"),
        ]
    ) { invocation, session in
        let id = try session.artifactID(invocation[.artifact])
        let content = Download(session, .artifactContent, ["artifact_id": id.rawValue])
        if let path = invocation[.output], path != "-" {
            let size = try content.save(to: path, again: "aos artifact get \(id)")
            session.advise("\(path): \(Amounts.bytes(size))")
            return .ok
        }
        guard session.console.output.isTerminal else {
            try content.run { session.console.write($0) }
            return .ok
        }
        var text: [UInt8] = []
        try content.run { bytes in
            text += bytes
            guard text.count <= shownBytesMax, !bytes.contains(0) else {
                throw Failure(
                    .failed, "this is \(bytes.contains(0) ? "no text" : "too much for a screen")",
                    next: ["aos artifact get \(id) -o FILE"])
            }
        }
        guard let text = String(validating: text, as: UTF8.self) else {
            throw Failure(.failed, "this is no text", next: ["aos artifact get \(id) -o FILE"])
        }
        var lines = CleanText.lines(text)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for line in lines { session.console.print(line) }
        return .ok
    }
}
