import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

enum RoomCommands {
    static let all: [Command] = [list, create]

    static let list = Command(
        "room list", "The rooms", aliases: ["room ls"], options: [.json],
        examples: [Example("aos room list", "every room, latest change first")]
    ) { invocation, session in
        if invocation.has(.json) {
            session.printJSON(try session.bytes(Endpoint.rooms))
            return .ok
        }
        var (rooms, cursor): ([Room], String?) = ([], nil)
        repeat {
            let list = try session.get(.rooms, query: cursor.map { [("cursor", $0)] } ?? [])
            rooms += list.rooms
            cursor = list.nextCursor
        } while cursor != nil
        session.print(
            Table(
                [.init("ROOM"), .init("TITLE", isFlexible: true), .init("TOPIC", isFlexible: true), .init("CREATED")],
                rooms.map { room in
                    [
                        Table.Cell(room.roomID.rawValue), Table.Cell(room.title, .bold), Table.Cell(room.topic ?? ""),
                        session.age(room.createdAt),
                    ]
                }), ifEmpty: "no rooms yet: aos room create TITLE")
        return .ok
    }

    static let create = Command(
        "room create", "Open a room", arguments: [.roomTitle], options: [.json],
        examples: [Example("aos room create 'web site'", "prints the new room's id")]
    ) { invocation, session in
        let answer = try session.call(.createRoom, CreateRoom(title: invocation[.roomTitle]))
        if invocation.has(.json) {
            session.printJSON(try JSON.value(of: answer))
        } else {
            session.console.print(answer.roomID.rawValue)
        }
        return .ok
    }
}

enum StepCommands {
    static let all: [Command] = [list]

    static let list = Command(
        "step list", "The steps of a run", aliases: ["step ls"], arguments: [.run], options: [.json],
        examples: [Example("aos step list 01KQ", "each step, first first")]
    ) { invocation, session in
        let id = try session.runID(invocation[.run])
        if invocation.has(.json) {
            session.printJSON(try session.bytes(Endpoint.steps, ["run_id": id.rawValue]))
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

enum ArtifactCommands {
    static let all: [Command] = [list, get]

    private static let shownBytesMax = 4 << 20

    static let list = Command(
        "artifact list", "What runs have kept", aliases: ["artifact ls"], options: [.run, .limit, .json],
        examples: [Example("aos artifact list --run 01KQ", "what one run has kept, newest first")]
    ) { invocation, session in
        let limit = invocation.integer(.limit) ?? 50
        var query = [("limit", String(min(limit, Session.pageMax)))]
        if let run = invocation[.run] { query.append(("run_id", try session.runID(run).rawValue)) }
        if invocation.has(.json) {
            session.printJSON(try session.bytes(Endpoint.artifacts, query: query))
            return .ok
        }
        var list = try session.get(.artifacts, query: query)
        var artifacts = list.artifacts
        while artifacts.count < limit, let cursor = list.nextCursor {
            list = try session.get(.artifacts, query: query + [("cursor", cursor)])
            artifacts += list.artifacts
        }
        session.print(
            Table(
                [
                    .init("ARTIFACT"), .init("KIND"), .init("TITLE", isFlexible: true), .init("SIZE", isNumber: true),
                    .init("TYPE", isFlexible: true), .init("RUN"), .init("CREATED"),
                ],
                artifacts.prefix(limit).map { artifact in
                    [
                        Table.Cell(artifact.artifactID.rawValue), Table.Cell(artifact.kind),
                        Table.Cell(artifact.title ?? "", .bold),
                        Table.Cell(
                            artifact.sizeBytes.map(String.init) ?? "",
                            shown: artifact.sizeBytes.map { Amounts.bytes($0) }),
                        Table.Cell(artifact.mimeType ?? artifact.contentType.rawValue, .dim),
                        Table.Cell(artifact.runID.rawValue, shown: "…\(artifact.runID.rawValue.suffix(8))", .dim),
                        session.age(artifact.createdAt),
                    ]
                }), ifEmpty: "nothing was kept yet")
        return .ok
    }

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
        if let path = invocation[.output], path != "-" {
            let size = try save(id, to: path, session)
            session.advise("\(path): \(Amounts.bytes(size))")
            return .ok
        }
        guard session.console.output.isTerminal else {
            try download(id, session) { session.console.write($0) }
            return .ok
        }
        var text: [UInt8] = []
        try download(id, session) { bytes in
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

    /// The whole file or none: it gets its name when it is complete.
    private static func save(_ id: ArtifactID, to path: String, _ session: Session) throws -> Int64 {
        if Files.status(path)?.kind == .folder {
            throw Failure(.failed, "\(path) is a folder: name a file", next: ["aos artifact get \(id) -o \(path)/NAME"])
        }
        let part = "\(path).part"
        var size: Int64 = 0
        do {
            let file = try Files.create(part)
            try download(id, session) { bytes in
                try file.writeAll(Array(bytes))
                size += Int64(bytes.count)
            }
            try file.sync()
            try Files.rename(part, to: path)
        } catch {
            try? Files.remove(part)
            throw error
        }
        return size
    }

    private static func download(
        _ id: ArtifactID, _ session: Session, _ take: (ArraySlice<UInt8>) throws -> Void
    ) throws {
        try session.download(.artifactContent, ["artifact_id": id.rawValue], take)
    }
}
