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

@Suite("POST /v1/policy/evaluate")
struct PolicyTests {
    @Test(
        "says what the gate says",
        arguments: [
            ("external.write", "require_approval", "external_write_requires_approval"),
            ("external_write", "require_approval", "external_write_requires_approval"),
            (" external.write\n", "require_approval", "external_write_requires_approval"),
            ("email.send", "require_approval", "external_write_requires_approval"),
            ("payment.execute", "require_approval", "external_write_requires_approval"),
            ("api.call.mutating", "require_approval", "external_write_requires_approval"),
            ("data.read", "allow", "default_allow"), ("data_read", "allow", "default_allow"),
            ("data_write", "allow", "default_allow"), ("shell.exec", "allow", "default_allow"),
            ("internal.write", "allow", "default_allow"), ("tool.call.anything", "allow", "default_allow"),
            ("External.Write", "deny", "unknown_action"), ("external-write", "deny", "unknown_action"),
            ("external.write.x", "deny", "unknown_action"), ("delete.everything", "deny", "unknown_action"),
            ("*", "deny", "unknown_action"),
        ])
    func verdicts(_ action: String, _ decision: String, _ code: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            let answer = try api.operator.post("/v1/policy/evaluate", ["action": .string(action)])
            #expect(answer.status == 200)
            #expect((answer[text: "decision"], answer[text: "reason_code"]) == (decision, code))
            #expect(!answer[text: "policy_version"].isEmpty)
            // An allow writes nothing, a refusal is an event.
            #expect(try api.lastGlobalSeq() == before + (decision == "allow" ? 0 : 1))
        }
    }

    @Test("denies external writes while the kill switch is engaged, approved or not")
    func killSwitch() throws {
        try withAPI { api in
            let id = try api.operator.post(
                "/v1/approvals", ["action": "external_write", "scope": ["type": "workspace"]])[text: "approval_id"]
            _ = try api.operator.post("/v1/approvals/\(id)/decide", ["decision": "approve"])
            func evaluate() throws -> Answered {
                try api.operator.post("/v1/policy/evaluate", ["action": "external.write"])
            }
            #expect(try evaluate()[text: "reason_code"] == "approval_allows_action")
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            #expect(try evaluate()[text: "reason_code"] == "kill_switch_active")
        }
    }

    @Test(
        "keeps labelled data in its room and to its purpose",
        arguments: [
            (["label": "restricted", "label_room_id": "room_other"], "deny", "data_access_restricted_room_mismatch"),
            (["label": "restricted"], "deny", "data_access_restricted_room_mismatch"),
            (["label": "restricted", "label_room_id": "ROOM"], "allow", "default_allow"),
            (
                ["label": "confidential", "purpose_hint_mismatch": true], "require_approval",
                "data_access_purpose_hint_mismatch"
            ),
            (
                ["label": "sensitive_pii", "purpose_hint_mismatch": true], "require_approval",
                "data_access_purpose_hint_mismatch"
            ),
            (
                ["label": "confidential", "purpose_hint_mismatch": true, "justification_provided": true], "allow",
                "default_allow"
            ),
            (["label": "public"], "allow", "default_allow"),
        ] as [(JSONObject, String, String)])
    func dataAccess(_ access: JSONObject, _ decision: String, _ code: String) throws {
        try withAPI { api in
            let room = try api.room()
            var access = access
            if access["label_room_id"] == "ROOM" { access["label_room_id"] = .string(room.rawValue) }
            let answer = try api.operator.post(
                "/v1/policy/evaluate",
                ["action": "data.read", "room_id": .string(room.rawValue), "context": ["data_access": .object(access)]])
            #expect((answer[text: "decision"], answer[text: "reason_code"]) == (decision, code))
        }
    }

    @Test("records a refusal with its arguments, redacted, on the room's stream")
    func recorded() throws {
        try withAPI { api in
            let room = try api.room()
            let secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
            let answer = try api.operator.post(
                "/v1/policy/evaluate",
                [
                    "action": "launch", "room_id": .string(room.rawValue),
                    "context": ["key": .string(secret), "what": "rocket"],
                ])
            #expect(answer[text: "decision"] == "deny")
            let events = try api.operator.get("/v1/events?room_id=\(room)&event_type=policy.denied")
            let event = events["events"]?[0]
            #expect(event?["data"]?["arguments"]?["what"] == "rocket")
            #expect(event?["data"]?["arguments"]?["key"]?.stringValue?.contains("[redacted]") == true)
            #expect((event?["contains_secrets"], event?["redaction_level"]) == (true, "partial"))
            #expect(!events.text.contains(secret))
            for member in [
                "category", "action", "reason_code", "rule_id", "policy_version", "enforcement_mode", "blocked",
            ] {
                #expect(event?["data"]?[member] != nil, "\(member)")
            }
        }
    }

    @Test("in the shadow mode says the same and lets calls through, but never past the kill switch")
    func shadow() throws {
        try withAPI(settings: ["POLICY_ENFORCEMENT_MODE": "shadow"]) { api in
            #expect(try api.stranger.get("/health")["enforcement_mode"] == "shadow")
            _ = try api.run(in: api.room(), Plans.publish)
            let hold = try api.hold()
            let step = try hold.step("a", kind: "http")
            #expect(try hold.publish(step).status == 201)
            #expect(try api.eventTypes(hold.runID).suffix(2) == ["policy.requires_approval", "tool.invoked"])
            _ = try api.operator.post("/v1/policy/evaluate", ["action": "x"])
            api.clock.advance(1_000)
            _ = try api.operator.post("/v1/kill-switch", ["engaged": true])
            #expect(try hold.publish(step, ordinal: 2).code == "kill_switch_active")
        }
    }

    @Test(
        "needs an action",
        arguments: [[:], ["action": " "], ["action": .string(String(repeating: "a", count: 201))]] as [JSONValue])
    func missing(_ body: JSONValue) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            #expect(try api.operator.post("/v1/policy/evaluate", body).status == 400)
            #expect(try api.lastGlobalSeq() == before)
        }
    }
}
