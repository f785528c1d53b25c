import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("The engine registry")
struct EngineRegistryTests {
    private func claim(_ api: TestAPI, _ made: Answered) throws -> Answered {
        let token = made["token"]
        return try api.stranger.post(
            "/v1/runs/claim", [:],
            fields: [
                .xEngineID: token?["engine_id"]?.stringValue ?? "",
                .xEngineToken: token?["engine_token"]?.stringValue ?? "",
            ])
    }

    @Test("makes an engine known with a token, shown once", arguments: Transports.allCases)
    func register(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let made = try api.operator.post(
                "/v1/engines/register",
                [
                    "actor_id": " e ", "metadata": ["cpu": 2], "token_label": "first",
                    "valid_until": "2036-01-01T00:00:00Z",
                ])
            #expect(made.status == 201)
            #expect(made["engine"]?["actor_id"] == "e" && made["engine"]?["engine_name"] == "e")
            #expect(made["engine"]?["metadata"] == ["cpu": 2] && made["engine"]?["status"] == "active")
            let token = try #require(made["token"]?.objectValue)
            for name in [
                "token_id", "workspace_id", "engine_id", "principal_id", "capability_token_id", "token_label",
                "issued_at", "last_seen_at", "valid_until", "revoked_at", "revoked_reason", "created_by_principal_id",
            ] { #expect(token[name] != nil, "\(name)") }
            #expect(token["scopes"]?["action_types"]?.arrayValue?.contains("run.claim") == true)
            #expect(token["engine_token"]?.stringValue?.count == 50)
            let events = try api.operator.get("/v1/events?event_type=engine.registered")["events"]
            #expect(events?[0]?["data"]?["token_id"] == token["token_id"])
            #expect(token["created_by_principal_id"] == events?[0]?["actor_principal_id"])
            // Again: the same engine, one token more, name and metadata replaced.
            let again = try api.operator.post(
                "/v1/engines/register",
                ["actor_id": "e", "engine_name": "E", "scopes": ["rooms": ["room_x"]]])
            #expect(again["engine"]?["engine_id"] == made["engine"]?["engine_id"])
            #expect(again["engine"]?["engine_name"] == "E")
            #expect(again["token"]?["scopes"]?["rooms"] == ["room_x"])
            #expect(again["token"]?["scopes"]?["action_types"] == made["token"]?["scopes"]?["action_types"])
            #expect(try claim(api, made).status == 200)
            let id = made["engine"]?["engine_id"]?.stringValue ?? ""
            api.clock.advance(10)
            let third = try api.operator.post("/v1/engines/\(id)/tokens/issue")
            let listed = try api.operator.get("/v1/engines/\(id)/tokens")["tokens"]?.arrayValue ?? []
            #expect(listed.count == 3)
            #expect(listed.first?["token_id"] == third["token"]?["token_id"])
            #expect(try api.operator.get("/v1/engines/eng_nothing/tokens")["tokens"] == [])
        }
    }

    @Test(
        "refuses what is no engine, and leaves nothing",
        arguments: [
            ([:], "actor_id_required"), (["actor_id": "  "], "actor_id_required"),
            (["actor_id": "e", "metadata": [1]], "invalid_field"),
            (["actor_id": "e", "scopes": "all"], "invalid_field"),
            (["actor_id": "e", "valid_until": "tomorrow"], "invalid_valid_until"),
            (["actor_id": "e", "valid_until": ""], "invalid_valid_until"),
            (
                ["actor_id": "e", "scopes": ["rooms": .array((0...100).map { .string("room_\($0)") })]], "invalid_field"
            ),
        ] as [(JSONValue, String)])
    func refused(_ body: JSONValue, _ code: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            let answer = try api.operator.post("/v1/engines/register", body)
            #expect((answer.status, answer.code) == (400, code))
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.get("/v1/engines")["engines"] == [])
        }
    }

    @Test("lets nobody back in who was shut out, unless that is said")
    func deactivated() throws {
        try withAPI { api in
            let made = try api.operator.post("/v1/engines/register", ["actor_id": "e"])
            let id = made["engine"]?["engine_id"]?.stringValue ?? ""
            _ = try api.operator.post("/v1/engines/\(id)/tokens/issue")
            let off = try api.operator.post("/v1/engines/\(id)/deactivate")
            #expect(off["engine"]?["status"] == "inactive")
            #expect(off["engine"]?["deactivated_reason"] == "manual_deactivate")
            let tokens = try api.operator.get("/v1/engines/\(id)/tokens")["tokens"]?.arrayValue ?? []
            #expect(tokens.count == 2)
            #expect(tokens.allSatisfy { $0["revoked_reason"] == "engine_deactivated:manual_deactivate" })
            let event = try api.operator.get("/v1/events?event_type=engine.deactivated")["events"]?[0]
            #expect(event?["data"]?["token_ids"]?.arrayValue?.count == 2)
            let before = try api.lastGlobalSeq()
            let issue = try api.operator.post("/v1/engines/\(id)/tokens/issue")
            #expect((issue.status, issue.code) == (409, "engine_inactive"))
            expectProblem(issue)
            for body in [["actor_id": "e"], ["actor_id": "e", "reactivate": false]] as [JSONValue] {
                let register = try api.operator.post("/v1/engines/register", body)
                #expect((register.status, register.code) == (409, "engine_inactive"))
            }
            #expect(try api.operator.post("/v1/engines/\(id)/deactivate").status == 200)
            #expect(try api.lastGlobalSeq() == before)
            let back = try api.operator.post("/v1/engines/register", ["actor_id": "e", "reactivate": true])
            #expect(back.status == 201 && back["engine"]?["deactivated_at"] == .null)
            #expect(try claim(api, back).status == 200)
            #expect(try claim(api, made).code == "engine_token_expired")
            let events = try api.operator.get("/v1/events?event_type=engine.registered")["events"]?.arrayValue ?? []
            #expect(events.map { $0["data"]?["reactivated"] ?? .null } == [.null, true])
        }
    }

    @Test("ends tokens and engines only that are there")
    func missing() throws {
        try withAPI { api in
            let made = try api.operator.post("/v1/engines/register", ["actor_id": "e"])
            let id = made["engine"]?["engine_id"]?.stringValue ?? ""
            let token = made["token"]?["token_id"]?.stringValue ?? ""
            for target in ["\(id)/tokens/engtok_x/revoke", "eng_x/tokens/\(token)/revoke"] {
                let answer = try api.operator.post("/v1/engines/\(target)")
                #expect((answer.status, answer.code) == (404, "engine_token_not_found"))
            }
            for target in ["deactivate", "tokens/issue"] {
                let answer = try api.operator.post("/v1/engines/eng_x/\(target)")
                #expect((answer.status, answer.code) == (404, "engine_not_found"))
            }
            #expect(
                try api.operator.post("/v1/engines/\(id)/tokens/issue", ["valid_until": "x"]).code
                    == "invalid_valid_until")
            let revoked = try api.operator.post("/v1/engines/\(id)/tokens/\(token)/revoke")
            #expect(revoked["ok"] == true && revoked["already_revoked"] == false)
            let event = try api.operator.get("/v1/events?event_type=engine.token.revoked")["events"]?[0]
            #expect(event?["data"]?["reason"] == "manual_revoke")
        }
    }

    @Test("frees the runs of an engine that was shut out when their leases run out, and not before")
    func leases() throws {
        try withAPI { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold("engine-a")
            guard case .engine(let id, _) = hold.client.credential else { throw TestFailure("no engine") }
            #expect(try api.operator.post("/v1/engines/\(id)/deactivate").status == 200)
            #expect(try hold.onRun("lease/heartbeat").code == "engine_inactive")
            #expect(try api.status(run) == .running)
            #expect(try api.engine("engine-b").post("/v1/runs/claim")["claimed"] == false)
            api.clock.advance(30_001)
            #expect(try api.engine("engine-b").post("/v1/runs/claim")["claimed"] == true)
        }
    }

    @Test("notes when a token was last used, every five seconds at the most")
    func lastSeen() throws {
        try withAPI { api in
            let engine = try api.engine("e")
            guard case .engine(let id, _) = engine.credential else { throw TestFailure("no engine") }
            func seen() throws -> Timestamp? {
                let tokens = try api.operator.get("/v1/engines/\(id)/tokens")["tokens"]
                return tokens?[0]?["last_seen_at"]?.stringValue.flatMap { Timestamp($0) }
            }
            #expect(try seen() == nil)
            _ = try engine.post("/v1/runs/claim")
            let first = try #require(try seen())
            api.clock.advance(4_999)
            _ = try engine.post("/v1/runs/claim")
            #expect(try seen() == first)
            api.clock.advance(1)
            _ = try engine.post("/v1/runs/claim")
            #expect(try seen() == first.adding(milliseconds: 5_000))
        }
    }

    @Test("keeps an engine to its rooms on all that it can write")
    func rooms() throws {
        try withAPI { api in
            let (mine, other) = (try api.room("Mine"), try api.room("Other"))
            let made = try api.operator.call(
                .registerEngine, RegisterEngine(actorID: "e", scopes: RequestedScopes(rooms: [mine.rawValue])))
            let engine = APIClient(
                transport: api.transport,
                credential: .engine(made.engine.engineID, token: made.token.engineToken ?? ""))
            let theirs = try api.run(in: other)
            let hold = try api.hold("engine-b")
            let (step, call) = (try hold.step("a"), try hold.call(hold.step("a"), "shell", ["argv": ["wc"]]))
            let before = try api.lastGlobalSeq()
            let room = JSONValue.string(other.rawValue)
            let writes: [(String, JSONObject)] = [
                ("/v1/approvals", ["action": "external.write", "room_id": room]),
                ("/v1/approvals", ["action": "external.write", "run_id": .string(theirs.rawValue)]),
                (
                    "/v1/approvals",
                    [
                        "action": "external.write", "room_id": .string(mine.rawValue),
                        "run_id": .string(theirs.rawValue),
                    ]
                ),
                ("/v1/approvals", ["action": "external.write"]),
                ("/v1/policy/evaluate", ["action": "external.write", "room_id": room]),
                ("/v1/policy/evaluate", ["action": "external.write"]),
                ("/v1/runs/claim", ["room_id": room]),
                ("/v1/runs/\(theirs)/steps", ["kind": "shell"]), ("/v1/runs/\(theirs)/complete", [:]),
                ("/v1/runs/\(theirs)/fail", [:]), ("/v1/runs/\(theirs)/park", ["waits": [["kind": "halt"]]]),
                ("/v1/runs/\(theirs)/lease/heartbeat", [:]), ("/v1/runs/\(theirs)/lease/release", [:]),
                ("/v1/steps/\(step)/succeed", [:]), ("/v1/steps/\(step)/toolcalls", ["tool_name": "shell"]),
                ("/v1/steps/\(step)/artifacts", ["kind": "note"]),
                ("/v1/toolcalls/\(call[text: "tool_call_id"])/succeed", [:]),
            ]
            for (target, body) in writes {
                var body = body
                body["claim_token"] = .string(hold.token)
                let answer = try engine.post(target, .object(body))
                #expect((answer.status, answer.code) == (403, "engine_room_not_allowed"), "\(target)")
            }
            #expect(try api.lastGlobalSeq() == before)
            let allowed = try engine.post(
                "/v1/approvals", ["action": "external.write", "room_id": .string(mine.rawValue)])
            #expect(allowed.status == 201)
        }
    }
}
