import APIClient
import DatabaseCore
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

extension EndToEnd {
    /// Everything moves from a file to a server and back.
    @Suite(.serialized, .enabled(if: TestBackends.serverURL != nil)) struct MigrateTests {
        @Test func `a move to Postgres and back keeps every event, every head and every engine, or leaves nothing`()
            throws
        {
            let stage = try Stage(place: try ScratchDatabase.Place(on: .sqlite))
            try stage.startAPI()
            let room = try stage.room("the room")
            let (engine, _) = try stage.engineClient("mover")
            let load = Load(stage, in: room, name: "before")
            try load.start(clients: 4)
            #expect(eventually { load.operations.count > 200 })
            load.stop()
            load.join()
            // Text that databases are known to change.
            for title in ["Zoë 🙂 e\u{301}", "1e2", "\u{1}\u{7f}", "{\"a\": 1.0}", String(repeating: "x", count: 500)] {
                _ = try stage.client().call(
                    .createRun,
                    CreateRun(
                        roomID: room, title: title,
                        input: [
                            "text": .string(title), "numbers": [0, -1, 0.1, 12_345.678, 1e-7, 9_007_199_254_740_991],
                        ]))
            }
            let before = try stage.events([("include_system", "1")])
            let runs = try stage.client().call(.runs, Nothing(), query: [("limit", "200")]).runs

            // Not while an api works on it.
            let target = try ScratchDatabase.Place(on: .postgres)
            let url = try #require(target.url)
            let early = try stage.apiVerb(["migrate", "--to", url])
            #expect(early.exit == .code(1))
            #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))

            let there = try move(stage, to: url)
            #expect(there["from"]?.stringValue?.hasPrefix("sqlite:") == true)
            #expect(there["to"]?.stringValue?.contains("(hidden)") == true)
            // A second time there is something in the way, and nothing is changed.
            let again = try stage.apiVerb(["migrate", "--to", url])
            #expect(again.exit == .code(1))

            let server = ["DATABASE_URL": url]
            try stage.startAPI(server)
            #expect(Array(try stage.events([("include_system", "1")]).prefix(before.count)) == before)
            #expect(try stage.client().call(.runs, Nothing(), query: [("limit", "200")]).runs == runs)
            // The engine's token is good at the new place.
            let moved = APIClient(
                transport: stage.client().transport, credential: engine.credential, workspace: "ws_dev")
            #expect(try moved.call(.claimRun, ClaimRun(roomID: room)).run != nil)
            try stage.checkLog()
            let grown = try stage.events([("include_system", "1")])
            #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))

            let back = "sqlite:\(stage.folder)/back.db"
            let home = try move(stage, to: back, server)
            let last = try #require(home["events"]?.intValue)
            #expect(last >= Int64(grown.count))
            try stage.startAPI(["DATABASE_URL": back])
            #expect(Array(try stage.events([("include_system", "1")]).prefix(grown.count)) == grown)
            try stage.checkLog()
            EndToEnd.say(
                "moved to Postgres and back: \(before.count) events in \(there["milliseconds"]?.intValue ?? 0) ms, \(last) in \(home["milliseconds"]?.intValue ?? 0) ms"
            )
        }

        /// Exit 0 and the proof.
        private func move(_ stage: Stage, to url: String, _ settings: [String: String] = [:]) throws -> JSONValue {
            let (exit, output) = try stage.apiVerb(["migrate", "--to", url], settings)
            try #require(
                exit == .code(0),
                "\(String(decoding: (try? Files.read("\(stage.folder)/verb.log", bytesMax: 1 << 20)) ?? [], as: UTF8.self))"
            )
            return try JSON.parse(Array(output.utf8))
        }
    }
}
