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
            let empty = try api.operator.get("/v1/audit/hash-chain/verify?stream_type=room&stream_id=room_x")
            #expect((empty["checked"], empty["valid"], empty["last_event_hash"]) == (0, true, .null))
            _ = run
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
