import APIClient
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("A session of the web UI")
struct WebSessionTests {
    /// What a browser keeps.
    private struct Browser {
        var cookie: String
        var csrf: String

        var reading: HTTPFields { [.cookie: cookie, .secFetchSite: "same-origin"] }

        var changing: HTTPFields {
            var fields = reading
            fields.append(.xCSRFToken, csrf)
            return fields
        }
    }

    private func code(_ api: TestAPI, _ body: JSONValue = [:], by client: APIClient? = nil) throws -> String {
        let answer = try (client ?? api.operator).post("/v1/ui/links", body)
        #expect(answer.status == 201)
        let url = answer[text: "url"]
        #expect(url.contains("/login#alk_"))
        return String(url.split(separator: "#").last ?? "")
    }

    private func signIn(_ api: TestAPI, _ body: JSONValue = [:], by client: APIClient? = nil) throws -> Browser {
        let answer = try api.stranger.post(
            "/v1/ui/session", ["code": .string(code(api, body, by: client))], fields: [.userAgent: "Browser/1"])
        #expect(answer.status == 201)
        let cookie = try #require(answer.response.fields[.setCookie])
        #expect(cookie.hasPrefix("aos_session_"))
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] { #expect(cookie.contains("; \(attribute)")) }
        #expect(!cookie.contains("Secure"))
        let token = answer["session"]?["csrf_token"]?.stringValue
        return Browser(cookie: String(cookie.prefix { $0 != ";" }), csrf: try #require(token))
    }

    @Test("is begun by a link that is good once and for ten minutes", arguments: Transports.allCases)
    func link(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let code = try code(api)
            #expect(try api.stranger.post("/v1/ui/session", ["code": .string(code)]).status == 201)
            let old = try self.code(api)
            api.clock.advance(WebSession.linkSeconds * 1000)
            for wrong in [code, old, "alk_nothing", String(code.dropLast())] {
                let answer = try api.stranger.post("/v1/ui/session", ["code": .string(wrong)])
                #expect((answer.status, answer.code) == (401, "invalid_login_link"))
                #expect(answer.response.fields[.setCookie] == nil)
            }
            #expect(try api.stranger.post("/v1/ui/session", [:]).code == "missing_field")
            #expect(try api.stranger.post("/v1/ui/links", [:]).code == "missing_bearer_token")
        }
    }

    @Test("is the operator's: it reads and changes what the token does, in any workspace")
    func operatorSession() throws {
        try withAPI { api in
            let browser = try signIn(api)
            let session = try api.stranger.get("/v1/ui/session", fields: browser.reading)
            #expect(session["session"]?["actor_id"] == "operator")
            #expect(session["session"]?["is_operator"] == true)
            #expect(session["session"]?["csrf_token"] == .string(browser.csrf))
            let made = try api.stranger.post("/v1/rooms", ["title": "a"], fields: browser.changing)
            #expect(made.status == 201)
            var elsewhere = browser.reading
            elsewhere.append(.xWorkspaceID, "ws_elsewhere")
            #expect(try api.stranger.get("/v1/rooms/\(made[text: "room_id"])", fields: browser.reading).status == 200)
            #expect(try api.stranger.get("/v1/rooms/\(made[text: "room_id"])", fields: elsewhere).status == 404)
            // Who came and went is in history; what they came with is not.
            #expect(try api.stranger.post("/v1/ui/session/end", [:], fields: browser.changing)["revoked"] == true)
            #expect(try api.stranger.get("/v1/rooms", fields: browser.reading).code == "invalid_session")
            let events = try api.operator.get("/v1/events?event_types=auth.web_session.issued,auth.web_session.ended")
            #expect(events["events"]?.arrayValue?.count == 2)
            #expect(events["events"]?.arrayValue?.first?["data"]?["user_agent"] == "Browser/1")
            #expect(!events.text.contains("aws_") && !events.text.contains("alk_"))
        }
    }

    @Test("is an owner's where an owner makes the link, and keeps to the workspace")
    func ownerSession() throws {
        try withAPI { api in
            let owner = try api.owner().client
            let browser = try signIn(api, by: owner)
            let session = try api.stranger.get("/v1/ui/session", fields: browser.reading)["session"]
            #expect(session?["is_operator"] == false)
            #expect(try api.stranger.post("/v1/rooms", ["title": "a"], fields: browser.changing).status == 201)
            let answer = try api.stranger.post("/v1/kill-switch", ["engaged": true], fields: browser.changing)
            #expect((answer.status, answer.code) == (403, "operator_required"))
        }
    }

    @Test("changes nothing without the token that only its own pages know")
    func forgery() throws {
        try withAPI { api in
            let browser = try signIn(api)
            var guessed = browser.reading
            guessed.append(.xCSRFToken, String(browser.csrf.reversed()))
            for fields in [browser.reading, guessed] {
                let answer = try api.stranger.post("/v1/rooms", ["title": "a"], fields: fields)
                #expect((answer.status, answer.code) == (403, "csrf_token_required"))
            }
            // Another port of this host is the same site, and not the same origin.
            for site in ["cross-site", "same-site"] {
                var fields = browser.changing
                fields.set(.secFetchSite, site)
                #expect(
                    try api.stranger.post("/v1/rooms", ["title": "a"], fields: fields).code == "cookie_not_accepted")
                #expect(try api.stranger.get("/v1/rooms", fields: fields).code == "cookie_not_accepted")
            }
            var foreign = browser.changing
            foreign.append(.origin, "http://evil.example")
            #expect(try api.stranger.post("/v1/rooms", ["title": "a"], fields: foreign).code == "origin_not_allowed")
            #expect(try api.operator.get("/v1/rooms")["rooms"]?.arrayValue?.isEmpty == true)
            #expect(try api.stranger.post("/v1/rooms", ["title": "a"], fields: browser.changing).status == 201)
        }
    }

    @Test("that may only look does not touch, and makes no link that may")
    func readOnly() throws {
        try withAPI { api in
            let browser = try signIn(api, ["read_only": true])
            #expect(try api.stranger.get("/v1/rooms", fields: browser.reading).status == 200)
            for target in ["/v1/rooms", "/v1/kill-switch", "/v1/ui/links"] {
                let answer = try api.stranger.post(target, ["title": "a", "engaged": true], fields: browser.changing)
                #expect((answer.status, answer.code) == (403, "read_only_session"))
            }
            let mark = try api.stranger.post("/v1/ui/marks", ["marks": ["home": 3]], fields: browser.changing)
            #expect(mark.status == 200)
            // What only looks is a look, whatever its method.
            for target in ["/v1/system/health", "/v1/projections/check"] {
                let look = try api.stranger.post(target, ["schema_version": "2.1"], fields: browser.changing)
                #expect(look.status == 200, "\(target)")
            }
        }
    }

    @Test("lives over a restart, for a week after its last use")
    func lifetime() throws {
        try withAPI { api in
            let browser = try signIn(api)
            try api.restart()
            let day: Int64 = 86_400_000
            for _ in 0..<4 {
                api.clock.advance(6 * day)
                #expect(try api.stranger.get("/v1/rooms", fields: browser.reading).status == 200)
                // The use is noted beside the answer.
                _ = try api.operator.post("/v1/rooms", ["title": "a"])
            }
            api.clock.advance(7 * day)
            #expect(try api.stranger.get("/v1/rooms", fields: browser.reading).code == "invalid_session")
        }
    }

    @Test("remembers how far each person has read, and never goes back")
    func marks() throws {
        try withAPI { api in
            let browser = try signIn(api)
            let first = try api.stranger.post(
                "/v1/ui/marks", ["marks": ["home": 12, "room_1": 3]], fields: browser.changing)
            #expect(first["marks"] == ["home": 12, "room_1": 3])
            let second = try api.operator.post("/v1/ui/marks", ["marks": ["home": 9, "room_1": 4]])
            #expect(second["marks"] == ["home": 12, "room_1": 4])
            let owner = try api.owner().client
            #expect(try owner.get("/v1/ui/marks")["marks"] == [:])
            for wrong: JSONValue in [["home": -1], ["home": "x"], [" ": 1], ["": 1]] {
                #expect(try api.operator.post("/v1/ui/marks", ["marks": wrong]).status == 400)
            }
            #expect(try api.operator.get("/v1/ui/marks")["marks"] == ["home": 12, "room_1": 4])
        }
    }
}
