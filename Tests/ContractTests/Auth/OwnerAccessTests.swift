import API
import APIClient
import HTTP
import HTTPClient
import JSON
import Shared
import TestSupport
import Testing

@Suite("An owner's session")
struct OwnerAccessTests {
    @Test("works in its own workspace, whatever the header says", arguments: Transports.allCases)
    func workspace(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let owner = try api.owner()
            let theirs = try api.room("Theirs", in: "ws_other")
            let client = api.bearer(owner.access, in: "ws_other")
            let room = try client.post("/v1/rooms", ["title": "Mine"])
            #expect(room.status == 201)
            #expect(room.response.fields[.xWorkspaceID] == "ws_home")
            let rooms = try client.get("/v1/rooms")
            #expect(rooms["rooms"]?.arrayValue?.map { $0["title"] ?? .null } == ["Mine"])
            #expect(try client.get("/v1/streams/rooms/\(theirs)").code == "room_not_found")
            // Not even a header that is no workspace name.
            #expect(try owner.client.get("/v1/rooms", fields: [.xWorkspaceID: "a b"]).status == 200)
            let created = try client.get("/v1/events?event_type=room.created")
            let event = created["events"]?[0]
            #expect(event?["actor_type"] == "user" && event?["actor_id"]?.stringValue == owner.ownerID)
        }
    }

    @Test("decides, cancels and registers there as the operator does")
    func people() throws {
        try withAPI { api in
            let owner = try api.owner()
            let room = try api.room(in: "ws_home")
            let approval = try owner.client.post(
                "/v1/approvals", ["action": "external.write", "room_id": .string(room.rawValue)])
            #expect(approval.status == 201)
            let decided = try owner.client.post(
                "/v1/approvals/\(approval[text: "approval_id"])/decide", ["decision": "approve"])
            #expect(decided.status == 200)
            let shown = try owner.client.get("/v1/approvals/\(approval[text: "approval_id"])")
            #expect(shown["approval"]?["decided_by_id"]?.stringValue == owner.ownerID)
            let engine = try owner.client.post("/v1/engines/register", ["actor_id": "e"])
            #expect(engine.status == 201 && engine["engine"]?["workspace_id"] == "ws_home")
            let claim = try owner.client.post("/v1/policy/evaluate", ["action": "x", "actor_id": "operator"])
            #expect(claim.code == "actor_claim_mismatch")
        }
    }

    @Test("cannot do what concerns the machine: 403, and nothing has happened", arguments: Transports.allCases)
    func machine(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let owner = try api.owner()
            let before = try api.lastGlobalSeq()
            let machine = api.application.endpoints.filter { $0.access == "operator" }
            #expect(
                Set(machine.map { "\($0.method) \($0.path)" })
                    == [
                        "POST /v1/kill-switch", "GET /v1/audit/verify", "POST /v1/projections/check",
                        "POST /v1/system/backup",
                    ])
            for endpoint in machine {
                let answer =
                    endpoint.method == .get
                    ? try owner.client.get(endpoint.path) : try owner.client.post(endpoint.path, ["engaged": true])
                #expect((answer.status, answer.code) == (403, "operator_required"), "\(endpoint.path)")
            }
            let system = try owner.client.get("/v1/events?include_system=1")
            #expect((system.status, system.code) == (403, "operator_required"))
            // The instance's own events and stream are not there for it.
            let events = try api.operator.get("/v1/events?include_system=1")["events"]?.arrayValue ?? []
            let started = try #require(events.first { $0["event_type"] == "api.started" }?["event_id"]?.stringValue)
            #expect(try api.operator.get("/v1/events/\(started)").status == 200)
            #expect(try owner.client.get("/v1/events/\(started)").code == "event_not_found")
            let verify = "/v1/audit/hash-chain/verify?stream_type=workspace"
            #expect(try owner.client.get("\(verify)&stream_id=ws_system").code == "stream_not_found")
            #expect(try owner.client.get(verify)["checked"] == 2)
            #expect(try owner.client.get("/v1/kill-switch").status == 200)
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("has a cookie when asked for, good for following a room and for nothing else", arguments: Transports.allCases)
    func cookie(_ transports: Transports) throws {
        try withAPI(transports) { api in
            _ = try api.owner()
            let room = try api.room(in: "ws_home")
            #expect(try api.login().response.fields[.setCookie] == nil)
            let answer = try api.login("ws_home", LoggedIn.passphrase, ["cookie": true])
            let access = try LoggedIn(answer, api).access
            #expect(
                answer.response.fields[.setCookie]
                    == "agentapp_access_token=\(access); Max-Age=3600; Path=/; HttpOnly; SameSite=Strict")
            let cookie: HTTPFields = [.cookie: "theme=dark; agentapp_access_token=\(access)"]
            let stream = "/v1/streams/rooms/\(room)"
            // HEAD: the stream itself never ends.
            func follow(_ more: HTTPFields) throws -> Answered {
                var fields = cookie
                for (name, value) in more { fields.append(name, value) }
                return try api.stranger.exchange(.head, stream, fields: fields)
            }
            let followed = try follow([:])
            #expect((followed.status, followed.response.fields[.xWorkspaceID]) == (200, "ws_home"))
            for site in ["same-origin", "same-site", "none"] {
                #expect(try follow([.secFetchSite: site]).status == 200, "\(site)")
            }
            #expect(try follow([.secFetchSite: "cross-site"]).status == 403)
            #expect(try follow([.origin: "http://evil.example"]).status == 403)
            #expect(try follow([.cookie: "agentapp_access_token=other"]).status == 400)
            // A bearer token beside it decides.
            #expect(try follow([.authorization: "Bearer nothing"]).status == 401)
            let before = try api.lastGlobalSeq()
            for target in ["/v1/rooms", "/v1/events", "/v1/runs", "/v1/kill-switch"] {
                let refused = try api.stranger.get(target, fields: cookie)
                #expect((refused.status, refused.code) == (403, "cookie_not_accepted"), "\(target)")
            }
            #expect(try api.stranger.post("/v1/rooms", ["title": "a"], fields: cookie).code == "cookie_not_accepted")
            #expect(try api.stranger.get("/v1/auth/session", fields: cookie).code == "missing_bearer_token")
            #expect(try api.lastGlobalSeq() == before)
            let out = try api.bearer(access).post("/v1/auth/logout", fields: cookie)
            #expect(out.response.fields[.setCookie]?.hasPrefix("agentapp_access_token=; Max-Age=0;") == true)
            #expect(try follow([:]).status == 401)
        }
    }

    @Test("that is over ends the streams it follows, too", arguments: Transports.allCases)
    func streams(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (first, second) = (try api.owner(), try LoggedIn(api.login(), api))
            let room = try api.room(in: "ws_home")
            func follow(_ owner: LoggedIn) -> Beside<Bool> {
                let client = owner.client
                return Beside {
                    let request = client.request(.get, "/v1/streams/rooms/\(room)", deadlineMilliseconds: 60_000)
                    try client.transport.stream(request) { _ in
                    } onBytes: { _ in
                        true
                    }
                    return true
                }
            }
            let (ending, staying) = (follow(first), follow(second))
            try eventually("both to follow") { api.application.followerCount == 2 }
            #expect(try first.client.post("/v1/auth/logout")["revoked"] == true)
            api.clock.advance(5_000)
            #expect(try ending.value())
            try eventually("one to follow") { api.application.followerCount == 1 }
            #expect(!staying.isDone)
            // And with its time.
            api.clock.advance(3_600_000)
            #expect(try staying.value())
        }
    }

    @Test("has a cookie for TLS only when the api is reached by another name than loopback's")
    func secureCookie() throws {
        try withAPI(settings: ["AOS_ALLOWED_HOSTS": "aos.example"]) { api in
            _ = try api.owner()
            let answer = try api.login(
                "ws_home", LoggedIn.passphrase, ["cookie": true], fields: [.host: "aos.example"])
            #expect(answer.response.fields[.setCookie]?.hasSuffix("; SameSite=Strict; Secure") == true)
        }
    }

    @Test("is taken in the header mode, too, and its workspace counts")
    func headerMode() throws {
        try withAPI(settings: ["AUTH_ALLOW_LEGACY_WORKSPACE_HEADER": "1"]) { api in
            // Nobody becomes owner for having named a workspace.
            #expect(try api.stranger.post("/v1/auth/bootstrap-owner").code == "bootstrap_forbidden")
            let owner = try api.owner()
            let rooms = try owner.client.get("/v1/rooms", fields: [.xWorkspaceID: "ws_other"])
            #expect(rooms.response.fields[.xWorkspaceID] == "ws_home")
            // A left-over cookie is nobody's concern.
            #expect(try api.stranger.get("/v1/rooms", fields: [.cookie: "agentapp_access_token=x"]).status == 200)
        }
    }
}
