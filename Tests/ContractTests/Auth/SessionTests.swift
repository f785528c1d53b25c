import APIClient
import Domain
import HTTP
import JSON
import Platform
import Shared
import TestSupport
import Testing

@Suite("An owner")
struct OwnerTests {
    @Test("is made once for each workspace, and is shown without the passphrase", arguments: Transports.allCases)
    func bootstrap(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let answer = try api.operator.post(
                "/v1/auth/bootstrap-owner",
                ["workspace_id": "ws_home", "display_name": "Min", "passphrase": "correct horse battery"])
            #expect(answer.status == 201)
            #expect(answer.response.fields[.xWorkspaceID] == "ws_home")
            let owner = answer["owner"]
            #expect(
                Set(owner?.objectValue?.keys ?? [])
                    == ["owner_id", "workspace_id", "principal_id", "principal_type", "display_name"])
            #expect(owner?["workspace_id"] == "ws_home" && owner?["principal_type"] == "user")
            #expect(owner?["owner_id"]?.stringValue?.hasPrefix("own_") == true)
            let session = answer["session"]
            #expect(
                Set(session?.objectValue?.keys ?? [])
                    == ["access_token", "access_expires_at", "refresh_token", "refresh_expires_at"])
            #expect(session?["access_token"]?.stringValue?.count == 47)
            let now = api.clock.wallMilliseconds()
            #expect(
                session?["access_expires_at"]?.stringValue == Timestamp(milliseconds: now + 3_600_000).description)
            // The first refusal, whoever asks and whatever is missing.
            for client in [api.operator, api.stranger] {
                let again = try client.post("/v1/auth/bootstrap-owner", ["workspace_id": "ws_home"])
                #expect((again.status, again.code) == (409, "owner_already_exists"))
            }
            #expect(try api.authEvents().map(\.eventType) == ["auth.owner.created", "auth.session.issued"])
            let events = try api.authEvents()
            #expect(events.map(\.actorID) == ["operator", owner?["owner_id"]?.stringValue ?? ""])
            #expect(events[1].actorPrincipalID == owner?["principal_id"]?.stringValue)
            #expect(events[1].data["peer"]?.stringValue == (transports == .socket ? "127.0.0.1" : nil))
        }
    }

    @Test("is not made by just anybody, nor with a weak passphrase, nor of the instance; nothing is left of it")
    func refused() throws {
        try withAPI { api in
            let before = try api.lastGlobalSeq()
            func refusal(_ client: APIClient, _ body: JSONObject, _ fields: HTTPFields = [:]) throws -> String {
                let answer = try client.post("/v1/auth/bootstrap-owner", .object(body), fields: fields)
                return "\(answer.status) \(answer.code ?? "")"
            }
            #expect(try refusal(api.stranger, [:]) == "403 bootstrap_forbidden")
            #expect(try refusal(api.stranger, [:], [.xBootstrapToken: "guess"]) == "403 bootstrap_forbidden")
            #expect(try refusal(api.bearer("aos_wrong"), ["passphrase": "x"]) == "403 bootstrap_forbidden")
            #expect(try refusal(api.operator, [:]) == "400 missing_passphrase")
            #expect(try refusal(api.operator, ["passphrase": "1234567"]) == "400 weak_passphrase")
            #expect(
                try refusal(api.operator, ["passphrase": .string(String(repeating: "a", count: 1025))])
                    == "400 invalid_field")
            #expect(try refusal(api.operator, ["workspace_id": "ws_system"]) == "400 invalid_workspace_id")
            #expect(try refusal(api.operator, ["workspace_id": "a b"]) == "400 invalid_workspace_id")
            #expect(try api.lastGlobalSeq() == before)
            // In ws_dev where none is named; an engine's token is no proof.
            let engine = try api.engine("e")
            #expect(try engine.post("/v1/auth/bootstrap-owner").code == "bootstrap_forbidden")
            let made = try api.operator.post("/v1/auth/bootstrap-owner", ["passphrase": "long enough"])
            #expect(made["owner"]?["workspace_id"] == "ws_dev")
            #expect(made["owner"]?["display_name"] == "Local Owner")
        }
    }

    @Test("is made by the bootstrap token, which is good once, also after a restart")
    func bootstrapToken() throws {
        try withAPI(settings: ["AUTH_BOOTSTRAP_TOKEN": "s3tup"]) { api in
            func make(_ workspace: String, _ name: HTTPFieldName, _ token: String) throws -> Answered {
                try api.stranger.post(
                    "/v1/auth/bootstrap-owner",
                    ["workspace_id": .string(workspace), "passphrase": "long enough"], fields: [name: token])
            }
            #expect(try make("ws_a", .xBootstrapToken, "s3tu").code == "bootstrap_forbidden")
            #expect(try make("ws_a", .xAuthBootstrapToken, "s3tup").status == 201)
            #expect(try make("ws_b", .xBootstrapToken, "s3tup").code == "bootstrap_forbidden")
            try api.restart()
            #expect(try make("ws_b", .xBootstrapToken, "s3tup").code == "bootstrap_forbidden")
            // Guessing it is slowed down like guessing a passphrase.
            for _ in 0..<LoginThrottle.freeAttempts { _ = try make("ws_c", .xBootstrapToken, "guess") }
            let throttled = try make("ws_c", .xBootstrapToken, "guess")
            #expect((throttled.status, throttled.code) == (429, "login_throttled"))
        }
    }

    @Test("is made without proof from this machine, where that is allowed and the peer is known")
    func loopback() throws {
        for transports in Transports.allCases {
            try withAPI(transports, settings: ["AUTH_BOOTSTRAP_ALLOW_LOOPBACK": "1"]) { api in
                let answer = try api.stranger.post("/v1/auth/bootstrap-owner", ["passphrase": "long enough"])
                #expect(answer.status == (transports == .socket ? 201 : 403))
            }
        }
    }
}

@Suite("A session")
struct SessionTests {
    @Test("begins with the passphrase", arguments: Transports.allCases)
    func login(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let owner = try api.owner()
            let before = try api.lastGlobalSeq()
            let none = try api.login("ws_nobody")
            #expect((none.status, none.code) == (404, "owner_not_found"))
            #expect(try api.stranger.post("/v1/auth/login").code == "missing_passphrase")
            #expect(try api.lastGlobalSeq() == before)
            let wrong = try api.login("ws_home", "correct horse batterz")
            #expect((wrong.status, wrong.code) == (401, "invalid_credentials"))
            expectProblem(wrong)
            let right = try api.login()
            #expect(right.status == 200)
            #expect(right["owner"]?["owner_id"]?.stringValue == owner.ownerID)
            let second = try LoggedIn(right, api)
            // Both sessions live.
            for client in [owner.client, second.client] {
                let shown = try client.get("/v1/auth/session")
                #expect(shown.status == 200)
                #expect(shown["owner"]?["owner_id"]?.stringValue == owner.ownerID)
                #expect(
                    Set(shown["session"]?.objectValue?.keys ?? [])
                        == ["session_id", "access_expires_at", "refresh_expires_at"])
            }
            #expect(
                try api.authEvents().map(\.eventType) == [
                    "auth.owner.created", "auth.session.issued", "auth.login.failed", "auth.session.issued",
                ])
            #expect(try api.authEvents()[2].actorType == .service)
        }
    }

    @Test("is shown to its bearer only")
    func shown() throws {
        try withAPI { api in
            let owner = try api.owner()
            #expect(try api.stranger.get("/v1/auth/session").code == "missing_bearer_token")
            #expect(try api.operator.get("/v1/auth/session").code == "invalid_session")
            #expect(try api.bearer(owner.refresh).get("/v1/auth/session").code == "invalid_session")
            #expect(try api.bearer(owner.refresh).get("/v1/rooms").code == "invalid_session")
            #expect(try api.bearer(owner.access + "x").get("/v1/rooms").code == "invalid_session")
        }
    }

    @Test("gets two new tokens by a refresh, and the old pair is dead at once", arguments: Transports.allCases)
    func rotation(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let owner = try api.owner()
            #expect(try api.stranger.post("/v1/auth/refresh").code == "missing_refresh_token")
            for token in ["rtk_x", "x", owner.access, "rtk_" + String(repeating: "A", count: 43)] {
                let answer = try api.refresh(token)
                #expect((answer.status, answer.code) == (401, "invalid_refresh_token"))
            }
            let answer = try api.refresh(owner.refresh)
            #expect(answer.status == 200 && answer["owner"] == nil)
            let next = try LoggedIn(answer, api)
            #expect(next.access != owner.access && next.refresh != owner.refresh)
            #expect(try owner.client.get("/v1/rooms").code == "invalid_session")
            #expect(try next.client.get("/v1/rooms").status == 200)
            let sessions = try api.authEvents().compactMap { $0.data["session_id"]?.stringValue }
            #expect(Set(sessions).count == 1 && sessions.count == 2)
        }
    }

    @Test("ends when a refresh token is used that was replaced, however long ago", arguments: [1, 2, 5])
    func reuse(_ generations: Int) throws {
        try withAPI { api in
            let owner = try api.owner()
            var latest = owner
            for _ in 0..<generations { latest = try LoggedIn(api.refresh(latest.refresh), api) }
            let stolen = try api.refresh(owner.refresh)
            #expect((stolen.status, stolen.code) == (401, "invalid_refresh_token"))
            #expect(try latest.client.get("/v1/rooms").code == "invalid_session")
            #expect(try api.refresh(latest.refresh).code == "invalid_refresh_token")
            let last = try #require(try api.authEvents().last)
            #expect(last.eventType == "auth.session.revoked")
            #expect(last.data["reason"] == "refresh_token_reused")
            // Nothing more is recorded about a session that is over.
            let before = try api.lastGlobalSeq()
            _ = try api.refresh(owner.refresh)
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("goes on with one of two that refresh at once, and then with none")
    func race() throws {
        try withAPI(.socket) { api in
            let owner = try api.owner()
            let answers = try TestSupport.race(2) { _ in try api.refresh(owner.refresh) }
            #expect(answers.map(\.status).sorted() == [200, 401])
            let next = try LoggedIn(try #require(answers.first { $0.status == 200 }), api)
            #expect(try next.client.get("/v1/rooms").code == "invalid_session")
        }
    }

    @Test("ends with its time: access first, and at last the refresh token")
    func expiry() throws {
        let settings = ["AUTH_SESSION_ACCESS_TTL_SEC": "60", "AUTH_SESSION_REFRESH_TTL_SEC": "600"]
        try withAPI(settings: settings) { api in
            var owner = try api.owner()
            api.clock.advance(59_999)
            #expect(try owner.client.get("/v1/rooms").status == 200)
            api.clock.advance(1)
            #expect(try owner.client.get("/v1/rooms").code == "invalid_session")
            for _ in 0..<3 {
                api.clock.advance(500_000)
                owner = try LoggedIn(api.refresh(owner.refresh), api)
            }
            #expect(try owner.client.get("/v1/rooms").status == 200)
            api.clock.advance(600_000)
            let before = try api.lastGlobalSeq()
            #expect(try api.refresh(owner.refresh).code == "invalid_refresh_token")
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("ends with a logout by either token; a second one finds nothing to end")
    func logout() throws {
        try withAPI { api in
            let (first, second) = (try api.owner(), try LoggedIn(api.login(), api))
            let byBearer = try first.client.post("/v1/auth/logout")
            #expect((byBearer.status, byBearer["ok"], byBearer["revoked"]) == (200, true, true))
            #expect(try first.client.get("/v1/rooms").code == "invalid_session")
            #expect(try api.refresh(first.refresh).code == "invalid_refresh_token")
            #expect(try second.client.get("/v1/rooms").status == 200)
            let byRefresh = try api.stranger.post(
                "/v1/auth/logout", ["refresh_token": .string(second.refresh)])
            #expect(byRefresh["revoked"] == true)
            #expect(try second.client.get("/v1/rooms").code == "invalid_session")
            let before = try api.lastGlobalSeq()
            for client in [first.client, api.stranger, api.operator] {
                let again = try client.post("/v1/auth/logout", ["refresh_token": .string(second.refresh)])
                #expect((again.status, again["revoked"]) == (200, false))
            }
            #expect(try api.lastGlobalSeq() == before)
            #expect(
                try api.authEvents().suffix(2).map(\.data["reason"]) == ["logout", "logout"])
        }
    }

    @Test("outlives a restart of the api")
    func restart() throws {
        try withAPI { api in
            let owner = try api.owner()
            try api.restart()
            #expect(try api.bearer(owner.access).get("/v1/rooms").status == 200)
            #expect(try api.refresh(owner.refresh).status == 200)
        }
    }

    @Test("is not begun by guessing: after five failures the next must wait", arguments: Transports.allCases)
    func throttled(_ transports: Transports) throws {
        try withAPI(transports) { api in
            _ = try api.owner()
            _ = try api.owner(of: "ws_other")
            for _ in 0..<4 { #expect(try api.login("ws_home", "wrong").code == "invalid_credentials") }
            // A success forgets them.
            #expect(try api.login().status == 200)
            for _ in 0..<5 { #expect(try api.login("ws_home", "wrong").code == "invalid_credentials") }
            let before = try api.lastGlobalSeq()
            for passphrase in ["wrong", LoggedIn.passphrase] {
                let answer = try api.login("ws_home", passphrase)
                #expect((answer.status, answer.code) == (429, "login_throttled"))
                #expect(answer.response.fields[.retryAfter] == "15")
            }
            #expect(try api.lastGlobalSeq() == before)
            #expect(try api.login("ws_other").status == 200)
            api.clock.advance(14_001)
            #expect(try api.login().response.fields[.retryAfter] == "1")
            api.clock.advance(999)
            #expect(try api.login().status == 200)
            // Trying one workspace after the other is guessing, too.
            for number in 0..<5 { #expect(try api.login(WorkspaceID("ws_\(number)")).code == "owner_not_found") }
            #expect(try api.login("ws_5").code == "login_throttled")
        }
    }

    @Test("is not kept for a replay: the same key begins another session")
    func notReplayed() throws {
        try withAPI { api in
            _ = try api.owner()
            let first = try api.login(fields: [.idempotencyKey: "k1"])
            let second = try api.login(fields: [.idempotencyKey: "k1"])
            #expect(second.status == 200 && second.response.fields[.idempotentReplayed] == nil)
            #expect(first["session"] != second["session"])
        }
    }

    @Test("leaves no token and no passphrase in events, log or files", arguments: Transports.allCases)
    func secrets(_ transports: Transports) throws {
        let settings = ["AOS_LOG_LEVEL": "debug", "AUTH_BOOTSTRAP_TOKEN": "bootstrap-canary-token"]
        try withAPI(transports, settings: settings) { api in
            let made = try api.stranger.post(
                "/v1/auth/bootstrap-owner",
                ["workspace_id": "ws_home", "passphrase": .string(LoggedIn.passphrase), "display_name": "Min"],
                fields: [.xBootstrapToken: "bootstrap-canary-token"])
            let first = try LoggedIn(made, api)
            let second = try LoggedIn(api.login("ws_home", LoggedIn.passphrase, ["cookie": true]), api)
            let third = try LoggedIn(api.refresh(second.refresh), api)
            _ = try api.refresh(second.refresh)
            _ = try api.login("ws_home", "wrong-passphrase-canary")
            _ = try third.client.get("/v1/rooms")
            _ = try first.client.post("/v1/auth/logout")
            // A token that somebody pastes into a room's title is taken out of it.
            let pasted = try api.operator(in: "ws_home").post("/v1/rooms", ["title": .string("see \(third.access)")])
            #expect(pasted.status == 201)
            let secrets =
                [first, second, third].flatMap { [$0.access, $0.refresh] }
                + [LoggedIn.passphrase, "wrong-passphrase-canary", "bootstrap-canary-token"]
            let events = try api.operator(in: "ws_home").get("/v1/events?limit=200").text
            let log = api.logLines.joined()
            #expect(log.contains("http.request"))
            for secret in secrets {
                #expect(!events.contains(secret) && !log.contains(secret))
            }
            for name in try Files.list(api.folder.path) {
                guard name != "operator.token", Files.status("\(api.folder.path)/\(name)")?.kind == .file else {
                    continue
                }
                let text = String(
                    decoding: try Files.read("\(api.folder.path)/\(name)", bytesMax: 64 << 20), as: UTF8.self)
                for secret in secrets {
                    #expect(text.utf8.firstRange(of: secret.utf8) == nil, "\(name) holds \(secret.prefix(8))…")
                }
            }
        }
    }
}
