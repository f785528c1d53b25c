import APIClient
import CSQLite
import DatabaseCore
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

extension EndToEnd {
    /// Somebody with write access to the database, past all triggers.
    @Suite(.serialized) struct TamperTests {
        private struct Drill {
            var name: String
            var statements: [String]
            /// Where it must be found: the stream's number of the first bad event; nil where no stream can tell.
            var seq: Int64?
            var kinds: [ChainFaultKind] = []
            /// Whether the head file has to tell, too.
            var inHeadFile = false
        }

        @Test func `every change to the stopped database is found and named`() throws {
            let stage = try Stage()
            try stage.startAPI()
            let room = try stage.room("the room")
            let other = try stage.room("the other room")
            for index in 1...12 {
                _ = try stage.client().call(.createRun, CreateRun(roomID: room, title: "run \(index)"))
                _ = try stage.client().call(.createRun, CreateRun(roomID: other, title: "other \(index)"))
            }
            #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))

            let clean = try verify(stage, Drill(name: "nothing", statements: []), room)
            #expect(clean.exit == .code(0) && clean.found.valid, "\(clean.found)")
            #expect(clean.found.headFile?.consistent == true && (clean.found.headFile?.lines ?? 0) > 0)

            let isSQLite = TestBackends.chosen == .sqlite
            let (data, zeros) =
                isSQLite ? ("data", "zeroblob(length(payload_salt))") : ("data_text", "decode(repeat('00', 16), 'hex')")
            let here = "stream_id = '\(room)'"
            func event(_ seq: Int) -> String { "\(here) AND stream_seq = \(seq)" }
            // `room.created` is 1, the runs are 2 … 13.
            let drills = [
                Drill(
                    name: "one payload byte",
                    statements: [
                        "UPDATE evt_events SET \(data) = replace(\(data), 'run 5', 'run 6') WHERE \(event(6))"
                    ],
                    seq: 6, kinds: [.payloadDigestMismatch]),
                Drill(
                    name: "one byte of the salt",
                    statements: [
                        "UPDATE evt_events SET payload_salt = \(zeros) WHERE \(event(6))"
                    ],
                    seq: 6, kinds: [.payloadDigestMismatch]),
                Drill(
                    name: "one header byte",
                    statements: ["UPDATE evt_events SET actor_id = 'operatos' WHERE \(event(7))"],
                    seq: 7, kinds: [.eventHashMismatch]),
                Drill(
                    name: "the time",
                    statements: [
                        "UPDATE evt_events SET recorded_at = occurred_at, occurred_at = '2020-01-01T00:00:00.000Z' WHERE \(event(7))"
                    ],
                    seq: 7, kinds: [.eventHashMismatch]),
                Drill(
                    name: "a payload and its digest",
                    statements: [
                        "UPDATE evt_events SET \(data) = replace(\(data), 'run 5', 'run 6'), payload_digest = (SELECT payload_digest FROM evt_events WHERE \(event(7))) WHERE \(event(6))"
                    ],
                    seq: 6, kinds: [.eventHashMismatch]),
                Drill(
                    name: "a deleted row", statements: ["DELETE FROM evt_events WHERE \(event(8))"],
                    seq: 8, kinds: [.gap, .orderMismatch], inHeadFile: true),
                Drill(
                    name: "a cut tail", statements: ["DELETE FROM evt_events WHERE \(here) AND stream_seq > 10"],
                    seq: 11, kinds: [.tailMissing], inHeadFile: true),
                Drill(
                    name: "a cut tail of the whole log",
                    statements: [
                        "DELETE FROM evt_events WHERE global_seq > (SELECT global_seq FROM evt_events WHERE \(event(10)))"
                    ],
                    seq: 11, kinds: [.tailMissing], inHeadFile: true),
                Drill(
                    name: "a cut tail with its heads",
                    statements: [
                        "DELETE FROM evt_events WHERE global_seq > (SELECT global_seq FROM evt_events WHERE \(event(10)))",
                        "UPDATE evt_stream_heads SET next_seq = 1 + (SELECT max(stream_seq) FROM evt_events e WHERE e.stream_type = evt_stream_heads.stream_type AND e.stream_id = evt_stream_heads.stream_id)",
                    ], seq: nil, inHeadFile: true),
                Drill(
                    name: "two rows swapped",
                    statements: [
                        "UPDATE evt_events SET stream_seq = 1000 WHERE \(event(4))",
                        "UPDATE evt_events SET stream_seq = 4 WHERE \(event(5))",
                        "UPDATE evt_events SET stream_seq = 5 WHERE \(event(1000))",
                    ], seq: 4, kinds: [.gap, .prevHashMismatch, .eventHashMismatch]),
                Drill(
                    name: "two rows swapped in the order of all streams",
                    statements: [
                        "UPDATE evt_events SET global_seq = 100000 WHERE \(event(4))",
                        "UPDATE evt_events SET global_seq = (SELECT global_seq FROM evt_events WHERE \(event(5))) - 2 WHERE \(event(5))",
                        "UPDATE evt_events SET global_seq = (SELECT global_seq FROM evt_events WHERE \(event(5))) + 2 WHERE \(event(4))",
                    ], seq: 4, kinds: [.gap, .prevHashMismatch, .orderMismatch], inHeadFile: true),
                Drill(
                    name: "two payloads swapped",
                    statements: [
                        "CREATE TEMP TABLE kept AS SELECT \(data), payload_salt FROM evt_events WHERE \(event(4))",
                        "UPDATE evt_events SET \(data) = (SELECT \(data) FROM evt_events WHERE \(event(5))), payload_salt = (SELECT payload_salt FROM evt_events WHERE \(event(5))) WHERE \(event(4))",
                        "UPDATE evt_events SET \(data) = (SELECT \(data) FROM kept), payload_salt = (SELECT payload_salt FROM kept) WHERE \(event(5))",
                    ], seq: 4, kinds: [.payloadDigestMismatch]),
                Drill(
                    name: "a forgotten head", statements: ["DELETE FROM evt_stream_heads WHERE \(here)"],
                    seq: 1, kinds: [.headMismatch]),
            ]
            for drill in drills {
                let (exit, found, output) = try verify(stage, drill, room)
                #expect(exit == .code(1) && !found.valid, "\(drill.name): not found")
                if let seq = drill.seq {
                    let fault = found.faults.first { $0.streamID == room.rawValue }
                    #expect(fault?.streamSeq == seq, "\(drill.name): \(found.faults)")
                    #expect(
                        fault.map { drill.kinds.contains($0.kind) } == true,
                        "\(drill.name): \(String(describing: fault?.kind))")
                    #expect(output.contains(room.rawValue))
                } else {
                    #expect(found.faults.isEmpty, "\(drill.name): \(found.faults)")
                }
                if drill.inHeadFile {
                    #expect(found.headFile?.consistent == false, "\(drill.name): \(String(describing: found.headFile))")
                }
            }
            EndToEnd.say(
                "tampering: \(drills.count) drills, each found; the untouched copy is valid with \(clean.found.events) events"
            )
        }

        @Test func `a log that lives on after its tail was cut is found by the head file, too`() throws {
            let stage = try Stage()
            try stage.startAPI()
            let room = try stage.room()
            for index in 1...6 {
                _ = try stage.client().call(.createRun, CreateRun(roomID: room, title: "run \(index)"))
            }
            #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))
            try change(
                stage.place, "\(stage.data)/aos.db",
                [
                    "DELETE FROM evt_events WHERE global_seq > (SELECT global_seq FROM evt_events WHERE stream_id = '\(room)' AND stream_seq = 4)",
                    "UPDATE evt_stream_heads SET next_seq = 1 + coalesce((SELECT max(stream_seq) FROM evt_events e WHERE e.stream_type = evt_stream_heads.stream_type AND e.stream_id = evt_stream_heads.stream_id), 0)",
                    "DELETE FROM evt_stream_heads WHERE next_seq = 1",
                ])
            try stage.startAPI()
            #expect(stage.api.logTail().contains("shorter than the head file"), "\(stage.api.logTail())")
            for index in 1...20 {
                _ = try stage.client().call(.createRun, CreateRun(roomID: room, title: "new \(index)"))
            }
            let running = try stage.client().call(.verifyLog, Nothing())
            #expect(!running.valid && running.headFile?.consistent == false, "\(String(describing: running.headFile))")
            #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))
            let (exit, _) = try stage.apiVerb(["verify"])
            #expect(exit == .code(1))
        }

        /// Copies the stopped data, changes the copy, and has it verified.
        private func verify(
            _ stage: Stage, _ drill: Drill, _ room: RoomID
        ) throws -> (exit: RunningProgram.Exit?, found: LogVerification, output: String) {
            let copy = "\(stage.folder)/copy"
            try Files.removeTree(copy)
            try Files.makeFolder("\(copy)/audit")
            for name in ["aos.db", "aos.db-wal", "audit/heads.ndjson"] where Files.exists("\(stage.data)/\(name)") {
                try Files.writeAtomically(
                    try Files.read("\(stage.data)/\(name)", bytesMax: 1 << 28), to: "\(copy)/\(name)")
            }
            let place = try stage.place.copy()
            try change(place, "\(copy)/aos.db", drill.statements)
            let (exit, output) = try stage.apiVerb(
                ["verify"], data: copy, place.url.map { ["DATABASE_URL": $0] } ?? [:])
            return (exit, try JSON.decode(LogVerification.self, from: Array(output.utf8)), output)
        }

        /// On a connection of its own, without the triggers that keep honest programs from it.
        private func change(_ place: ScratchDatabase.Place, _ path: String, _ statements: [String]) throws {
            guard !statements.isEmpty else { return }
            if try place.runOnServer(
                (["evt_events", "evt_stream_heads"].map { "ALTER TABLE \($0) DISABLE TRIGGER ALL" } + statements)
                    .joined(separator: ";"))
            {
                return
            }
            var connection: OpaquePointer?
            try #require(sqlite3_open(path, &connection) == SQLITE_OK)
            defer { sqlite3_close(connection) }
            let triggers = [
                "evt_events_are_not_deleted", "evt_events_are_only_erased", "evt_events_are_appended",
                "evt_stream_heads_are_not_deleted", "evt_stream_heads_only_grow", "evt_stream_heads_are_not_replaced",
            ]
            for statement in triggers.map({ "DROP TRIGGER \($0)" }) + statements {
                let result = sqlite3_exec(connection, statement, nil, nil, nil)
                try #require(result == SQLITE_OK, "\(String(cString: sqlite3_errmsg(connection))) in \(statement)")
            }
        }
    }
}
