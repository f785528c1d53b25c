import HTTP
import JSON
import Shared

enum EngineCommands {
    static let all: [Command] = [list, add, remove]

    static let list = Command(
        "engine list", "The engines, and when they were last heard of", aliases: ["engine ls"], options: [.json],
        examples: [Example("aos engine list", "who can take runs")]
    ) { invocation, session in
        if invocation.has(.json) {
            try session.printAnswer(invocation, Reading(.engines))
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
            try session.printJSON(invocation, answer)
            return .ok
        }
        session.console.print("ENGINE_ID=\(answer.engine.engineID)")
        session.console.print("ENGINE_AUTH_TOKEN=\(answer.token.engineToken ?? "")")
        session.advise(
            "the token is shown this once; who has it can claim runs of workspace \(answer.engine.workspaceID)")
        return .ok
    }

    static let remove = Command(
        "engine remove", "End an engine and all its tokens",
        details: "The runs it holds are free when their leases run out; what it did stays in the history.",
        aliases: ["engine rm", "engine deactivate"], arguments: [.engine], options: [.message, .json],
        examples: [Example("aos engine rm eng_01KQ -m 'sold the laptop'", "with a reason, kept in the history")]
    ) { invocation, session in
        let id = try session.id(invocation[.engine], .engine)
        let answer = try session.call(
            .deactivateEngine, GiveReason(reason: invocation[.message]), ["engine_id": id])
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(Table.tabbed([id, "inactive"]))
        }
        return .ok
    }
}
