import HTTP
import Shared

enum ExportCommand {
    static let all: [Command] = [export]

    private static let lines = "application/x-ndjson"

    static let export = Command(
        "export", "The events that match, one per line, as JSON",
        details: """
            Everything up to the end of the log as it is now, in constant memory: NDJSON with all that is needed to compute
            each hash again (docs/reference/HASH_CHAIN.md). Several types are separated by commas. Without --output the lines
            go to standard output.
            """,
        options: [.run, .room, .thread, .step, .types, .actor, .correlation, .withSystem, .output],
        examples: [
            Example("aos export --run 01KQ -o run.ndjson", "one run, into a file that is whole or not there"),
            Example("aos export --types tool.failed,run.failed | wc -l", "into another program"),
        ]
    ) { invocation, session in
        var query = try session.filters(
            invocation,
            [
                .run: "run_id", .room: "room_id", .thread: "thread_id", .step: "step_id", .actor: "actor_id",
                .correlation: "correlation_id",
            ])
        if invocation.has(.types) { query.append(("event_types", invocation.names(.types).joined(separator: ","))) }
        if invocation.has(.withSystem) { query.append(("include_system", "1")) }
        let export = Download(session, Reading(.events, query: query), as: lines)
        if let path = invocation[.output], path != "-" {
            let size = try export.save(to: path, again: "aos export")
            session.advise("\(path): \(Amounts.bytes(size))")
            return .ok
        }
        guard !session.console.output.isTerminal else {
            // A screen gets it harmless, line by line.
            var rest: [UInt8] = []
            try export.run { bytes in
                rest += bytes
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    session.console.print(CleanText.escapedJSON(String(decoding: rest[..<end], as: UTF8.self)))
                    rest.removeSubrange(...end)
                }
            }
            return .ok
        }
        try export.run { session.console.write($0) }
        return .ok
    }
}
