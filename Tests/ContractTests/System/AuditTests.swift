import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("An audit")
struct AuditTests {
    @Test("finds the log whole, and rebuilt what is live", arguments: Transports.allCases)
    func whole(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let run = try api.run(in: room, Plans.publish)
            let hold = try api.hold()
            _ = try hold.publish(hold.step("a", kind: "http"))
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            _ = try hold.onRun("park", ["waits": [["kind": "halt"]]])
            try api.restart()
            let log = try api.operator.get("/v1/audit/verify")
            #expect((log.status, log["valid"], log["faults"]) == (200, true, []))
            #expect(log["events"] == log["head_global_seq"])
            #expect(log["head_file"]?["consistent"] == true)
            let projections = try api.operator.post("/v1/projections/check")
            #expect((projections.status, projections["equal"]) == (200, true))
            #expect((projections["tables"]?.arrayValue?.count ?? 0) >= 7)
            let events = try api.operator.get("/v1/events?limit=200&room_id=\(room)")["events"]?.arrayValue ?? []
            let stream = try api.operator.get("/v1/audit/hash-chain/verify?stream_type=room&stream_id=\(room)")
            #expect(
                (stream["valid"], stream["checked"], stream["first_mismatch"]) == (
                    true, .integer(Int64(events.count)), .null
                ))
            let last = try api.operator.get("/v1/events/\(events.last?["event_id"]?.stringValue ?? "")")
            #expect(stream["last_event_hash"] == last["event"]?["event_hash"])
            let own = try api.operator.get("/v1/audit/hash-chain/verify")
            #expect((own["stream_type"], own["stream_id"], own["valid"]) == ("workspace", "ws_dev", true))
            let system = try api.operator.get("/v1/audit/hash-chain/verify?stream_id=ws_system")
            #expect((system["checked"]?.intValue ?? 0) > 2)
            #expect((system["truncated"], system["last_stream_seq"]) == (false, system["checked"]))
            _ = run
        }
    }

    @Test("of a stream can be made piece by piece, and says where it stopped", arguments: Transports.allCases)
    func pieces(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            for _ in 0..<11 { _ = try api.run(in: room) }
            func verify(_ query: String) throws -> Answered {
                try api.operator.get("/v1/audit/hash-chain/verify?stream_type=room&stream_id=\(room)&\(query)")
            }
            let whole = try verify("")
            #expect((whole["checked"], whole["valid"], whole["truncated"]) == (12, true, false))
            var (seq, checked, last) = (Int64(0), Int64(0), JSONValue.null)
            repeat {
                let piece = try verify("limit=5&from_seq=\(seq)")
                #expect(piece["valid"] == true)
                checked += piece["checked"]?.intValue ?? 0
                seq = piece["last_stream_seq"]?.intValue ?? 0
                last = piece["last_event_hash"] ?? .null
                #expect(piece["truncated"] == .bool(checked < 12))
            } while checked < 12 && seq > 0
            #expect((checked, seq, last) == (12, 12, whole["last_event_hash"] ?? .null))
            let atEnd = try verify("from_seq=12")
            #expect((atEnd["checked"], atEnd["last_event_hash"]) == (0, whole["last_event_hash"]))
            for query in ["from_seq=13", "from_seq=x", "from_seq=-1"] {
                #expect(try verify(query).code == "invalid_cursor", "\(query)")
            }
            #expect(try verify("limit=1.5").code == "invalid_limit")
        }
    }

    @Test("of a stream that is not there, or another workspace's, finds nothing to verify")
    func noStream() throws {
        try withAPI { api in
            let theirs = try api.room("theirs", in: "ws_a")
            for stream in [
                "stream_type=room&stream_id=room_x", "stream_type=room&stream_id=\(theirs)",
                "stream_type=thread&stream_id=th_x", "stream_id=ws_a", "stream_type=workspace&stream_id=ws_nowhere",
            ] {
                let answer = try api.operator.get("/v1/audit/hash-chain/verify?\(stream)")
                #expect((answer.status, answer.code) == (404, "stream_not_found"), "\(stream)")
                expectProblem(answer)
            }
            // One's own is there before anything happens in it.
            let own = try api.operator(in: "ws_new").get("/v1/audit/hash-chain/verify")
            #expect((own["checked"], own["valid"], own["last_event_hash"]) == (0, true, .null))
        }
    }

    @Test("does not hold up requests, and many at once are all answered")
    func many() throws {
        try withAPI(.socket) { api in
            let client = api.operator
            let answers = try race(12) {
                $0 % 2 == 0 ? try client.get("/v1/audit/verify") : try client.post("/v1/projections/check")
            }
            #expect(
                answers.allSatisfy { $0.status == 200 || ($0.status == 503 && $0.response.fields[.retryAfter] != nil) })
            #expect(answers.contains { $0.status == 200 })
        }
    }
}
