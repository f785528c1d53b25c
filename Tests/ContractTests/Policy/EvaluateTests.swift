import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("POST /v1/policy/evaluate")
struct EvaluateTests {
    @Test(
        "says what the gate says",
        arguments: [
            ("external.write", "require_approval", "external_write_requires_approval"),
            ("external_write", "require_approval", "external_write_requires_approval"),
            (" external.write\n", "require_approval", "external_write_requires_approval"),
            ("email.send", "require_approval", "action_zone_requires_high_stakes"),
            ("payment.execute", "require_approval", "action_zone_requires_high_stakes"),
            ("api.call.mutating", "require_approval", "action_zone_requires_high_stakes"),
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
            // An allow writes nothing; a refusal is an event, and what it teaches two more.
            #expect(try api.lastGlobalSeq() == before + (decision == "allow" ? 0 : 3))
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
            #expect(
                try api.eventTypes(hold.runID).suffix(4) == [
                    "policy.requires_approval", "tool.invoked", "learning.from_failure", "constraint.learned",
                ])
            let lesson = try api.events(hold.runID).first { $0.eventType == "learning.from_failure" }
            #expect((lesson?.data["enforcement_mode"], lesson?.data["blocked"]) == ("shadow", false))
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

    @Test("in its zone: a stricter one is no mismatch, an unknown one is none", arguments: Transports.allCases)
    func zones(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let cases: [(String, String, String)] = [
                ("payment.execute", "supervised", "require_approval action_zone_requires_high_stakes"),
                ("payment.execute", "high_stakes", "require_approval action_pre_approval_required"),
                ("payment.execute", "moon", "require_approval action_zone_requires_high_stakes"),
                ("artifact.create", "sandbox", "deny action_zone_mismatch"),
                ("artifact.create", "high_stakes", "allow default_allow"),
                ("artifact.create", "moon", "allow default_allow"),
            ]
            for (action, zone, expected) in cases {
                let answer = try api.operator.post(
                    "/v1/policy/evaluate", ["action": .string(action), "zone": .string(zone)])
                #expect("\(answer[text: "decision"]) \(answer[text: "reason_code"])" == expected, "\(action) \(zone)")
            }
            let denied = try api.operator.get("/v1/events?event_type=policy.denied")["events"]?[0]
            #expect(denied?["zone"] == "sandbox")
        }
    }

    @Test("takes an approval for whatever action it names, in its scope")
    func approvals() throws {
        try withAPI { api in
            let (room, other) = (try api.room(), try api.room())
            let scope: JSONValue = ["type": "room", "room_id": .string(room.rawValue)]
            let id = try api.operator.post("/v1/approvals", ["action": "payment.execute", "scope": scope])[
                text: "approval_id"]
            func code(_ room: RoomID, _ action: String = "payment.execute") throws -> String {
                try api.operator.post(
                    "/v1/policy/evaluate",
                    ["action": .string(action), "zone": "high_stakes", "room_id": .string(room.rawValue)])[
                        text: "reason_code"]
            }
            #expect(try code(room) == "action_pre_approval_required")
            _ = try api.operator.post("/v1/approvals/\(id)/decide", ["decision": "approve"])
            #expect(try code(room) == "approval_allows_action")
            #expect(try code(other) == "action_pre_approval_required")
            #expect(try code(room, "email.send") == "action_pre_approval_required")
            _ = try api.operator.post("/v1/approvals/\(id)/decide", ["decision": "deny"])
            #expect(try code(room) == "action_pre_approval_required")
        }
    }

    @Test("as a dry run says the same and leaves nothing", arguments: Transports.allCases)
    func dryRun(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            for action in ["external.write", "payment.execute", "launch", "data.read", "artifact.create"] {
                let body: JSONObject = [
                    "action": .string(action), "room_id": .string(room.rawValue), "zone": "sandbox",
                    "context": ["a": 1],
                ]
                let before = try api.lastGlobalSeq()
                var dry = body
                dry["dry_run"] = true
                let answer = try api.operator.post("/v1/policy/evaluate", .object(dry))
                #expect(try api.lastGlobalSeq() == before)
                #expect(answer.response.fields[.xCommitSeq] == nil)
                #expect(try api.operator.post("/v1/policy/evaluate", .object(body)).json == answer.json)
            }
            let nowhere = try api.operator.post(
                "/v1/policy/evaluate", ["action": "launch", "room_id": "room_x", "dry_run": true])
            #expect((nowhere.status, nowhere.code) == (404, "room_not_found"))
        }
    }

    @Test(
        "404 to what is not there, before anything is recorded",
        arguments: [("room_id", "room_not_found"), ("run_id", "run_not_found"), ("step_id", "step_not_found")])
    func missingThings(_ member: String, _ code: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            for action in ["launch", "data.read"] {
                let answer = try api.operator.post(
                    "/v1/policy/evaluate", .object(["action": .string(action), member: "nothing"]))
                #expect((answer.status, answer.code) == (404, code))
            }
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("believes a principal only in the header mode, where it is who is refused and who learns")
    func principals() throws {
        try withAPI(settings: ["AUTH_ALLOW_LEGACY_WORKSPACE_HEADER": "1"]) { api in
            let body: JSONValue = ["action": "launch", "principal_id": "p-1", "actor_type": "agent", "actor_id": "ana"]
            _ = try api.stranger.post("/v1/policy/evaluate", body)
            let constraints = try api.stranger.get("/v1/constraints?principal_id=p-1")["constraints"]
            #expect(constraints?[0]?["subject_key"] == "principal:p-1")
            let denied = try api.stranger.get("/v1/events?event_type=policy.denied")["events"]?[0]
            #expect((denied?["actor_principal_id"], denied?["actor_id"]) == ("p-1", "ana"))
        }
    }
}

@Suite("GET /v1/action-registry")
struct ActionRegistryTests {
    @Test("lists what policy knows beforehand, by name, to engines too", arguments: Transports.allCases)
    func list(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let answer = try api.engine("engine-a").get("/v1/action-registry")
            let actions = answer["actions"]?.arrayValue ?? []
            #expect(
                actions.compactMap { $0["action_type"]?.stringValue } == [
                    "api.call.idempotent", "api.call.mutating", "artifact.create", "artifact.update", "email.send",
                    "external.write", "payment.execute",
                ])
            let email = actions.first { $0["action_type"] == "email.send" }
            #expect((email?["reversible"], email?["zone_required"]) == (false, "high_stakes"))
            #expect((email?["requires_pre_approval"], email?["post_review_required"]) == (true, false))
            #expect(email?["metadata"] == ["cost_impact": "medium", "recovery_difficulty": "hard"])
            #expect(Timestamp(email?["created_at"]?.stringValue ?? "") != nil && email?["updated_at"] != nil)
            #expect(try api.operator(in: "ws_other").get("/v1/action-registry").json == answer.json)
        }
    }
}
