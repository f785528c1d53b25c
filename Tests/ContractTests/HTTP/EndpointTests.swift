import API
import HTTP
import JSON
import Platform
import Shared
import TestSupport
import Testing

/// All endpoints, read from where both sides have them: a list of its own would forget the next one.
let declaredEndpoints: [String] = {
    // …/Tests/ContractTests/HTTP/EndpointTests.swift
    let root = "\(#filePath)".split(separator: "/").dropLast(4).joined(separator: "/")
    let folder = "/\(root)/Sources/Shared/Endpoints"
    var found: [String] = []
    for name in try! Files.list(folder) {
        let text = String(decoding: try! Files.read("\(folder)/\(name)", bytesMax: 1 << 20), as: UTF8.self)
        for piece in text.split(separator: ".init(").dropFirst() {
            let parts = piece.split(separator: "\"", maxSplits: 2)
            let method = parts[0].drop { $0.isWhitespace || $0 == "." }.prefix { $0 != "," }
            if parts.count > 1, parts[1].hasPrefix("/") { found.append("\(method.uppercased()) \(parts[1])") }
        }
    }
    return found.sorted()
}()

struct Declared {
    var method: HTTPMethod
    var template: String
    /// The template with something in the place of every parameter.
    var target: String

    init(_ line: String) {
        let parts = line.split(separator: " ")
        (method, template) = (HTTPMethod(rawValue: String(parts[0])), String(parts[1]))
        let names = ["room_id": "room_x", "sha256": String(repeating: "a", count: 64)]
        target = template.split(separator: "/", omittingEmptySubsequences: false).map { segment in
            guard segment.first == "{" else { return String(segment) }
            return names[String(segment.dropFirst().dropLast())] ?? "nothing"
        }.joined(separator: "/")
    }
}

@Suite("Every endpoint")
struct EndpointTests {
    @Test("that is declared is mounted, and nothing else is")
    func mounted() throws {
        #expect(declaredEndpoints.count > 40)
        try withAPI { api in
            let mounted = api.application.endpoints.map { "\($0.method.rawValue) \($0.path)" }.sorted()
            #expect(mounted == declaredEndpoints)
        }
    }

    @Test("with a body shows one that is accepted: the authorization matrix sends it")
    func examples() throws {
        try withAPI { api in
            for endpoint in api.application.endpoints where endpoint.bodyKind == .json {
                #expect(endpoint.example != nil || endpoint.bodyType == Nothing.self, "\(endpoint.name)")
            }
        }
    }

    @Test("answers 401 without a token, and says how to get one", arguments: Transports.allCases)
    func unauthorized(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let before = try api.lastGlobalSeq()
            let open = Set(api.application.endpoints.filter(\.isOpen).map(\.path))
            #expect(
                open == [
                    "/", "/health", "/livez", "/metrics", "/openapi.json", "/readyz", "/version",
                    // Where credentials come from, and go: each asks for its own proof.
                    "/v1/auth/bootstrap-owner", "/v1/auth/login", "/v1/auth/logout", "/v1/auth/refresh",
                    "/v1/auth/session", "/v1/ui/session",
                ])
            for endpoint in declaredEndpoints.map(Declared.init) where !open.contains(endpoint.template) {
                let body = endpoint.method == .get ? nil : Array("{}".utf8)
                let answer = try api.stranger.exchange(
                    endpoint.method, endpoint.target, fields: [.contentType: "application/json"], body: body)
                #expect(answer.status == 401, "\(endpoint.method) \(endpoint.template)")
                #expect(answer.code == "missing_bearer_token")
                #expect(answer.response.fields[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                expectProblem(answer)
            }
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("answers 401 to a token that is none", arguments: ["Bearer nothing", "bearer", "Basic b3A6b3A=", "Bearer "])
    func wrongToken(_ text: String) throws {
        try withAPI { api in
            let answer = try api.stranger.get("/v1/rooms", fields: [.authorization: text])
            #expect((answer.status, answer.code) == (401, "invalid_session"))
        }
    }

    @Test("names the methods it has when it is asked with another", arguments: Transports.allCases)
    func methodNotAllowed(_ transports: Transports) throws {
        try withAPI(transports) { api in
            var methods: [String: Set<String>] = [:]
            for endpoint in declaredEndpoints.map(Declared.init) {
                methods[endpoint.target, default: ["OPTIONS"]].insert(endpoint.method.rawValue)
                if endpoint.method == .get { methods[endpoint.target]?.insert("HEAD") }
            }
            for (target, allowed) in methods {
                let answer = try api.operator.exchange(.delete, target)
                // A literal path may also be one with a parameter: /v1/runs/claim is also /v1/runs/{run_id}.
                #expect([405, 404].contains(answer.status), "\(target)")
                guard answer.status == 405 else { continue }
                #expect(answer.code == "method_not_allowed")
                let allow = Set(
                    (answer.response.fields[.allow] ?? "").split(separator: ",").map { $0.filter { $0 != " " } })
                #expect(allow.isSuperset(of: allowed), "\(target)")
                expectProblem(answer)
            }
            #expect(
                try api.operator.exchange(.delete, "/v1/rooms").response.fields[.allow] == "GET, HEAD, OPTIONS, POST")
            let options = try api.stranger.exchange(.options, "/v1/rooms")
            #expect((options.status, options.response.fields[.allow]) == (204, "GET, HEAD, OPTIONS, POST"))
        }
    }

    @Test("that reads also answers HEAD, without a body", arguments: Transports.allCases)
    func head(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let stream = "/v1/streams/rooms/\(room)"
            for target in [
                "/health", "/livez", "/metrics", "/readyz", "/version", "/v1/rooms", "/v1/events", stream,
                "/v1/streams/workspace",
            ] {
                let answer = try api.operator.exchange(.head, target)
                #expect((answer.status, answer.response.body) == (200, []), "\(target)")
                #expect(answer.response.fields[.xRequestID] != nil)
            }
            for endpoint in declaredEndpoints.map(Declared.init) where endpoint.method == .get {
                // Streams have no end.
                guard !endpoint.target.hasPrefix("/v1/streams/") else { continue }
                let fields: HTTPFields = [.xRequestID: "req_constant"]
                let get = try api.operator.exchange(.get, endpoint.target, fields: fields)
                let head = try api.operator.exchange(.head, endpoint.target, fields: fields)
                #expect((head.status, head.response.body) == (get.status, []), "\(endpoint.target)")
                // Metrics count the time that passes and the question before: their length differs from look to look.
                let varying: [HTTPFieldName] = endpoint.target == "/metrics" ? [.date, .contentLength] : [.date]
                func lines(_ answer: Answered) -> Set<String> {
                    Set(
                        answer.response.fields.filter { !varying.contains($0.name) }.map { "\($0.name): \($0.value)" })
                }
                // What an audit finds grows while the head file is written.
                if !endpoint.target.hasPrefix("/v1/audit/") { #expect(lines(head) == lines(get), "\(endpoint.target)") }
            }
        }
    }

    @Test(
        "is not at a path that is only like its own",
        arguments: [
            "/v1", "/v1/", "/v1/rooms/", "/v1/nothing", "/V1/rooms", "/v1/runs/x/y/z", "//v1/rooms", "/healthz",
        ])
    func notFound(_ target: String) throws {
        try withAPI { api in
            for client in [api.operator, api.stranger] {
                let answer = try client.get(target)
                #expect((answer.status, answer.code) == (404, "route_not_found"))
                expectProblem(answer)
            }
        }
    }

    @Test("takes parameters of 100 bytes at most")
    func longParameter() throws {
        try withAPI { (api) throws in
            let name = String(repeating: "a", count: 100)
            #expect(try api.operator.get("/v1/runs/\(name)").code == "run_not_found")
            #expect(try api.operator.get("/v1/runs/\(name)a").code == "route_not_found")
        }
    }

    @Test(
        "answers with trace fields, and takes those of the caller if they are harmless", arguments: Transports.allCases)
    func trace(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let answer = try api.operator.post(
                "/v1/rooms", ["title": "a"],
                fields: [.xRequestID: "req.12345", .xCorrelationID: "corr-12345", .xWorkspaceID: "ws_a"])
            #expect(answer.status == 201)
            #expect(answer.response.fields[.xRequestID] == "req.12345")
            #expect(answer.response.fields[.xCorrelationID] == "ext_corr-12345")
            #expect(answer.response.fields[.xWorkspaceID] == "ws_a")
            let odd = try api.operator.get("/v1/rooms", fields: [.xRequestID: "a b c d e f g"])
            #expect(odd.response.fields[.xRequestID]?.hasPrefix("req_") == true)
            let problem = try api.operator.get("/v1/runs/nothing", fields: [.xRequestID: "req.67890"])
            #expect(problem[text: "instance"] == "/requests/req.67890")
        }
    }

    @Test("answers who it is and in which mode, to anybody", arguments: Transports.allCases)
    func health(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let answer = try api.stranger.get("/health")
            #expect(answer.status == 200)
            #expect(answer["ok"] == true)
            #expect(answer["kill_switch"] == false)
            #expect(answer[text: "enforcement_mode"] == "enforce")
            #expect(Timestamp(answer[text: "ts"]) != nil)
        }
    }
}

/// The one shape of every error (`contract/README.md` 1).
func expectProblem(_ answer: Answered, sourceLocation: SourceLocation = #_sourceLocation) {
    let fields = answer.response.fields
    #expect(fields[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
    #expect(answer["status"] == .integer(Int64(answer.status)), sourceLocation: sourceLocation)
    for member in ["type", "title", "detail", "instance", "error", "reason_code", "reason"] {
        #expect(!answer[text: member].isEmpty, "\(member)", sourceLocation: sourceLocation)
    }
    #expect(answer["error"] == answer["reason_code"], sourceLocation: sourceLocation)
    #expect(answer["reason"] == answer["detail"], sourceLocation: sourceLocation)
    #expect(answer[text: "type"] == "/problems/\(answer[text: "error"])", sourceLocation: sourceLocation)
    let requestID = fields[.xRequestID] ?? ""
    #expect(!requestID.isEmpty, sourceLocation: sourceLocation)
    #expect(answer[text: "instance"] == "/requests/\(requestID)", sourceLocation: sourceLocation)
}
