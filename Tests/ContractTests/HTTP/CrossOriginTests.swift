import API
import HTTP
import JSON
import Shared
import TestSupport
import Testing

@Suite("A page of another origin")
struct CrossOriginTests {
    static let allowed = "http://localhost:5173"
    static let settings = ["AOS_ALLOWED_ORIGINS": "\(allowed), https://ui.example"]

    @Test("is told nothing about origins unless some are named", arguments: Transports.allCases)
    func off(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let preflight = try api.stranger.exchange(
                .options, "/v1/rooms", fields: [.accessControlRequestMethod: "POST"])
            #expect(preflight.status == 204)
            for answer in [preflight, try api.operator.get("/v1/rooms"), try api.stranger.get("/nowhere")] {
                let names = answer.response.fields.map(\.name.text)
                #expect(!names.contains { $0.hasPrefix("access-control-") || $0 == "vary" })
            }
            let refused = try api.stranger.exchange(.options, "/v1/rooms", fields: [.origin: Self.allowed])
            #expect((refused.status, refused.code) == (403, "origin_not_allowed"))
        }
    }

    @Test("that is named gets in: preflight, answers, refusals, streams", arguments: Transports.allCases)
    func on(_ transports: Transports) throws {
        try withAPI(transports, settings: Self.settings) { api in
            let preflight = try api.stranger.exchange(
                .options, "/v1/rooms",
                fields: [
                    .origin: Self.allowed, .accessControlRequestMethod: "POST",
                    .accessControlRequestHeaders: "authorization, content-type",
                ])
            let fields = preflight.response.fields
            #expect((preflight.status, preflight.response.body) == (204, []))
            #expect(fields[.allow] == "GET, HEAD, OPTIONS, POST")
            #expect(fields[.accessControlAllowOrigin] == Self.allowed)
            #expect(fields[.accessControlAllowMethods] == "GET, HEAD, OPTIONS, POST")
            #expect(fields[.accessControlMaxAge] == "600")
            #expect(fields[.vary] == "Origin")
            for name in ["authorization", "content-type", "idempotency-key", "last-event-id", "traceparent"] {
                #expect(fields[.accessControlAllowHeaders]?.contains(name) == true)
            }
            let room = try api.room()
            let asked: HTTPFields = [.origin: Self.allowed]
            let answers = [
                try api.operator.get("/v1/rooms", fields: asked),
                try api.operator.post("/v1/rooms", ["title": "a"], fields: asked),
                try api.operator.post("/v1/rooms", [:], fields: asked),
                try api.operator.get("/v1/audit/verify", fields: asked),
                try api.stranger.get("/nowhere", fields: asked),
                try api.operator.exchange(.head, "/v1/streams/rooms/\(room)", fields: asked),
                try api.operator.exchange(.delete, "/v1/rooms", fields: asked),
            ]
            #expect(answers.map(\.status) == [200, 201, 400, 200, 404, 200, 405])
            for answer in answers {
                let fields = answer.response.fields
                #expect(fields.all(.accessControlAllowOrigin) == [Self.allowed])
                #expect(fields[.accessControlExposeHeaders]?.contains("x-request-id") == true)
                #expect(fields.all(.vary) == ["Origin"])
                #expect(fields[.accessControlAllowMethods] == nil && fields["access-control-allow-credentials"] == nil)
            }
            // Who asks without an origin is no page, but the answer depends on it all the same.
            let plain = try api.operator.get("/v1/rooms").response.fields
            #expect(plain[.accessControlAllowOrigin] == nil && plain[.vary] == "Origin")
            for origin in ["https://localhost:5173", "http://localhost:5174", "http://LOCALHOST:5173", "null"] {
                let refused = try api.operator.get("/v1/rooms", fields: [.origin: origin])
                #expect((refused.status, refused.code) == (403, "origin_not_allowed"), "\(origin)")
                #expect(refused.response.fields[.accessControlAllowOrigin] == nil)
            }
            #expect(try api.stranger.exchange(.options, "/nowhere", fields: asked).status == 404)
        }
    }

    @Test(
        "that could never be one stops the start",
        arguments: ["*", "null", "localhost:5173", "http://a/", "http://", "HTTP://a", "http://a,*", "http://u@a", ","])
    func settings(_ origins: String) {
        #expect(throws: SettingFaults.self) {
            _ = try APIConfiguration.read(
                environment: ["AOS_DATA_DIR": "/tmp/x", "AOS_ALLOWED_ORIGINS": origins])
        }
    }
}
