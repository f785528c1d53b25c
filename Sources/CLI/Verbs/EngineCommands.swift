import HTTP
import JSON
import Shared

enum EngineCommands {
    static let all: [Command] = [list, add]

    static let list = Command(
        "engine list", "The engines, and when they were last heard of", aliases: ["engine ls"], options: [.json],
        examples: [Example("aos engine list", "who can take runs")]
    ) { invocation, session in
        if invocation.has(.json) {
            session.printJSON(try session.bytes(Endpoint.engines))
            return .ok
        }
        let engines = try session.get(.engines).engines
        let rows = try engines.map { engine in
            [
                Table.Cell(engine.engineID.rawValue), Table.Cell(engine.engineName, .bold),
                Table.Cell(engine.status.rawValue, engine.status == .active ? .green : .dim),
                session.age(try lastSeen(engine, session)), session.age(engine.createdAt),
            ]
        }
        session.print(
            Table(
                [
                    .init("ENGINE"), .init("NAME", isFlexible: true), .init("STATUS"), .init("SEEN"),
                    .init("REGISTERED"),
                ], rows), ifEmpty: "no engine yet: start one beside the api, or aos engine add NAME")
        return .ok
    }

    /// The latest use of any of its tokens; an engine that has just registered has not used its own yet.
    static func lastSeen(_ engine: EngineRecord, _ session: Session) throws -> Timestamp? {
        let tokens = try session.get(.engineTokens, ["engine_id": engine.engineID.rawValue]).tokens
        return tokens.map { $0.lastSeenAt ?? $0.issuedAt }.max()
    }

    static let add = Command(
        "engine add", "Make an engine known and issue its token, shown once",
        details: """
            For an engine that runs as another user or on another machine. The lines can stand in its environment file.
            """,
        arguments: [.engineName], options: [.json],
        examples: [Example("umask 077; aos engine add laptop-2 > engine.env", "the only time the token is shown")]
    ) { invocation, session in
        let name = invocation[.engineName]
        let answer = try session.call(
            .registerEngine, RegisterEngine(actorID: name, engineName: name, tokenLabel: "aos engine add"))
        if invocation.has(.json) {
            session.printJSON(try JSON.value(of: answer))
            return .ok
        }
        session.console.print("ENGINE_ID=\(answer.engine.engineID)")
        session.console.print("ENGINE_AUTH_TOKEN=\(answer.token.engineToken ?? "")")
        session.advise(
            "the token is shown this once; who has it can claim runs of workspace \(answer.engine.workspaceID)")
        return .ok
    }
}
