import API
import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("The api answers")
struct WhoMayTests {
    @Test(
        "only to its own names",
        arguments: ["evil.example", "localhost.evil.example", "127.0.0.1:1", "10.0.0.1", "localhost:80"])
    func hosts(_ host: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            for target in ["/health", "/v1/rooms", "/nothing"] {
                let answer = try api.operator.post(target, ["title": "a"], fields: [.host: host])
                #expect((answer.status, answer.code) == (421, "host_not_allowed"), "\(target)")
                expectProblem(answer)
            }
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test(
        "to loopback's names, with its port or none",
        arguments: ["localhost", "127.0.0.1", "[::1]", "localhost:7717", "LOCALHOST:7717"])
    func ownHosts(_ host: String) throws {
        try withAPI { (api) throws in #expect(try api.operator.get("/v1/rooms", fields: [.host: host]).status == 200) }
    }

    @Test(
        "no page of another origin, on any route",
        arguments: ["http://evil.example", "null", "http://localhost:3000", "file://"])
    func origins(_ origin: String) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            for target in ["/health", "/v1/rooms", "/nothing"] {
                let answer = try api.operator.post(target, ["title": "a"], fields: [.origin: origin])
                #expect((answer.status, answer.code) == (403, "origin_not_allowed"), "\(target)")
                expectProblem(answer)
            }
            let upload = try api.operator.exchange(
                .put, "/v1/steps/x/blobs/\(String(repeating: "a", count: 64))", fields: [.origin: origin], body: [1])
            #expect(upload.status == 403)
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.operator.get("/v1/rooms", fields: [.origin: "http://localhost:7717"]).status == 200)
        }
    }

    @Test(
        "400 to a request that says twice who it is",
        arguments: [
            HTTPFieldName.authorization, .xWorkspaceID, .xEngineID, .xEngineToken, .xClaimToken, .idempotencyKey,
        ])
    func ambiguous(_ name: HTTPFieldName) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            let value = name == .authorization ? "Bearer \(api.application.operatorToken)" : "ws_a"
            var fields: HTTPFields = [:]
            fields.append(name, value)
            fields.append(name, "ws_b")
            let answer = try api.operator.post("/v1/rooms", ["title": "a"], fields: fields)
            #expect((answer.status, answer.code) == (400, "ambiguous_parameter"))
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("only to people where people decide: an engine's token gets 403 and changes nothing")
    func operatorOnly() throws {
        try withAPI { api in
            let engine = try api.engine("engine-a")
            let room = try api.room()
            let run = try api.run(in: room)
            let before = try api.lastGlobalSeq()
            let routes: [(HTTPMethod, String)] = [
                (.post, "/v1/rooms"), (.get, "/v1/rooms"), (.post, "/v1/runs"), (.post, "/v1/runs/\(run)/start"),
                (.post, "/v1/runs/\(run)/cancel"), (.post, "/v1/approvals/x/decide"), (.post, "/v1/kill-switch"),
                (.get, "/v1/events"), (.get, "/v1/events/x"), (.get, "/v1/streams/rooms/\(room)"),
                (.post, "/v1/engines/register"), (.get, "/v1/engines"), (.post, "/v1/engines/x/tokens/issue"),
                (.post, "/v1/engines/x/deactivate"), (.post, "/v1/engines/x/tokens/y/revoke"),
                (.post, "/v1/experiments"), (.get, "/v1/experiments"), (.get, "/v1/experiments/x"),
                (.post, "/v1/experiments/x/update"), (.post, "/v1/experiments/x/close"), (.post, "/v1/scorecards"),
                (.get, "/v1/scorecards"), (.get, "/v1/scorecards/x"), (.post, "/v1/lessons"), (.get, "/v1/lessons"),
                (.get, "/v1/lessons/x"), (.get, "/v1/pipeline/projection"),
                (.post, "/v1/toolcalls/x/resolve"), (.get, "/v1/audit/verify"), (.post, "/v1/projections/check"),
                (.post, "/v1/incidents"), (.get, "/v1/incidents"), (.get, "/v1/incidents/x"),
                (.post, "/v1/incidents/x/rca"), (.post, "/v1/incidents/x/close"),
                (.post, "/v1/runs/\(run)/evidence/finalize"), (.get, "/v1/system/health/issues"),
            ]
            for (method, target) in routes {
                let answer = method == .get ? try engine.get(target) : try engine.post(target)
                #expect((answer.status, answer.code) == (403, "operator_required"), "\(method) \(target)")
            }
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test(
        "to an engine what its token is good for: the checks and their order are on the wire",
        arguments: Transports.allCases)
    func engineTokens(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let made = try api.operator.call(.registerEngine, RegisterEngine(actorID: "e"))
            let id = made.engine.engineID
            func claim(_ id: String, _ token: String, _ fields: HTTPFields = [:]) throws -> Answered {
                var fields = fields
                fields.append(.xEngineID, id)
                fields.append(.xEngineToken, token)
                return try api.stranger.post("/v1/runs/claim", [:], fields: fields)
            }
            let secret = made.token.engineToken ?? ""
            #expect(try claim(id.rawValue, secret).status == 200)
            #expect(try claim(id.rawValue, "engtok_wrong").code == "engine_token_invalid")
            #expect(try claim("eng_other", secret).code == "engine_token_invalid")
            #expect(try claim(id.rawValue, secret, [.xWorkspaceID: "ws_other"]).code == "engine_token_invalid")
            // In the body, for clients of the surface.
            let inBody = try api.stranger.post(
                "/v1/runs/claim", ["engine_id": .string(id.rawValue), "engine_token": .string(secret)])
            #expect(inBody.status == 200)
            // One that runs out.
            let short = try api.operator.post(
                "/v1/engines/\(id)/tokens/issue",
                ["valid_until": .string(Timestamp(milliseconds: api.clock.wallMilliseconds() + 5_000).description)])
            #expect(short.status == 201)
            let shortSecret = short["token"]?["engine_token"]?.stringValue ?? ""
            #expect(try claim(id.rawValue, shortSecret).status == 200)
            api.clock.advance(5_000)
            let expired = try claim(id.rawValue, shortSecret)
            #expect((expired.status, expired.code) == (401, "engine_token_expired"))
            // One without the action, one without rooms.
            let idle = try api.operator.post(
                "/v1/engines/\(id)/tokens/issue", ["scopes": ["action_types": ["run.claim"], "rooms": ["room_other"]]])
            let idleSecret = idle["token"]?["engine_token"]?.stringValue ?? ""
            #expect(try claim(id.rawValue, idleSecret)["claimed"] == false)
            let elsewhere = try api.stranger.post(
                "/v1/runs/claim", ["room_id": "room_x"],
                fields: [.xEngineID: id.rawValue, .xEngineToken: idleSecret])
            #expect((elsewhere.status, elsewhere.code) == (403, "engine_room_not_allowed"))
            let refused = try api.stranger.get(
                "/v1/runs", fields: [.xEngineID: id.rawValue, .xEngineToken: idleSecret])
            #expect((refused.status, refused.code) == (403, "engine_action_not_allowed"))
            // Revoked, deactivated.
            let revoked = try api.operator.post("/v1/engines/\(id)/tokens/\(made.token.tokenID)/revoke")
            #expect(revoked["already_revoked"] == false)
            #expect(
                try api.operator.post("/v1/engines/\(id)/tokens/\(made.token.tokenID)/revoke")["already_revoked"]
                    == true)
            #expect(try claim(id.rawValue, secret).code == "engine_token_expired")
            #expect(try api.operator.post("/v1/engines/\(id)/deactivate").status == 200)
            let inactive = try claim(id.rawValue, secret)
            #expect((inactive.status, inactive.code) == (403, "engine_inactive"))
            // Nobody but an engine claims.
            #expect(try api.operator.post("/v1/runs/claim").code == "missing_engine_token")
            // Registering again brings it back under the same id, if that is said; the secret is nowhere to be read.
            let silent = try api.operator.post("/v1/engines/register", ["actor_id": "e"])
            #expect((silent.status, silent.code) == (409, "engine_inactive"))
            let again = try api.operator.call(.registerEngine, RegisterEngine(actorID: "e", reactivate: true))
            #expect(again.engine.engineID == id)
            #expect(try !api.operator.get("/v1/engines/\(id)/tokens").text.contains(again.token.engineToken ?? "?"))
        }
    }

    @Test(
        "403 when a body claims to be somebody else",
        arguments: [
            ("/v1/approvals", ["action": "external.write", "actor_type": "agent"]),
            ("/v1/approvals", ["action": "external.write", "actor_id": "ana"]),
            ("/v1/policy/evaluate", ["action": "x", "actor_type": "service"]),
            ("/v1/policy/evaluate", ["action": "x", "principal_id": "00000000-0000-4000-8000-000000000000"]),
        ] as [(String, JSONValue)])
    func actorClaims(_ target: String, _ body: JSONValue) throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            let answer = try api.operator.post(target, body)
            #expect((answer.status, answer.code) == (403, "actor_claim_mismatch"))
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test(
        "403 when a tool call claims to be made by somebody else",
        arguments: [
            ["actor_type": "agent"], ["actor_id": "ana"], ["principal_id": "00000000-0000-4000-8000-000000000000"],
        ] as [JSONObject])
    func callClaims(_ claim: JSONObject) throws {
        try withAPI { api in
            _ = try api.run(in: api.room())
            let hold = try api.hold()
            let step = try hold.step("a")
            let before = try api.lastGlobalSeq()
            let answer = try hold.call(step, "shell", ["argv": ["wc"]], claim)
            #expect((answer.status, answer.code) == (403, "actor_claim_mismatch"))
            #expect(try api.lastGlobalSeq() == before)
            let truth = try hold.call(
                step, "shell", ["argv": ["wc"]], ["actor_type": "service", "actor_id": "engine-a"])
            #expect(truth.status == 201)
        }
    }

    @Test("without a token in the header mode, and believes who the caller says it is")
    func headerMode() throws {
        try withAPI(settings: ["AUTH_ALLOW_LEGACY_WORKSPACE_HEADER": "1"]) { api in
            let answer = try api.stranger.post(
                "/v1/approvals", ["action": "external.write", "actor_type": "agent", "actor_id": "ana"],
                fields: [.xWorkspaceID: "ws_a"])
            #expect(answer.status == 201)
            let shown = try api.stranger.get(
                "/v1/approvals/\(answer[text: "approval_id"])", fields: [.xWorkspaceID: "ws_a"])
            #expect(shown["approval"]?["requested_by_type"] == "agent")
            #expect(shown["approval"]?["requested_by_id"] == "ana")
            #expect(try api.stranger.get("/v1/rooms", fields: [.authorization: "Bearer x"]).code == "invalid_session")
        }
    }

    @Test("400 to a workspace that is no name", arguments: ["a b", String(repeating: "a", count: 101), "ä"])
    func workspaceNames(_ name: String) throws {
        try withAPI { api in
            let answer = try api.operator.get("/v1/rooms", fields: [.xWorkspaceID: name])
            #expect((answer.status, answer.code) == (400, "invalid_workspace_id"))
        }
    }

    @Test(
        "lists with a limit that is a whole number and a cursor that it gave",
        arguments: [
            "/v1/audit/redactions", "/v1/constraints",
            "/v1/rooms", "/v1/runs", "/v1/approvals", "/v1/toolcalls", "/v1/artifacts", "/v1/events", "/v1/incidents",
            "/v1/system/health/issues", "/v1/experiments", "/v1/scorecards", "/v1/lessons",
        ])
    func limits(_ list: String) throws {
        try withAPI { api in
            for limit in ["1.5", "x", "1e1", "%2B1", "0x1"] {
                let answer = try api.operator.get("\(list)?limit=\(limit)")
                #expect((answer.status, answer.code) == (400, "invalid_limit"), "\(limit)")
            }
            for limit in ["0", "-5", "100000", ""] {
                #expect(try api.operator.get("\(list)?limit=\(limit)").status == 200, "\(limit)")
            }
            for cursor in ["x", "zz", "-1", "1.5", "00", "7e"] {
                let answer = try api.operator.get("\(list)?cursor=\(cursor)")
                #expect((answer.status, answer.code) == (400, "invalid_cursor"), "\(cursor)")
            }
        }
    }
}
