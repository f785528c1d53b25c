import Engine
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Testing

/// Answers, or fails, as it is told.
private struct ScriptedNet: HTTPTransport {
    var answer: @Sendable (HTTPClientRequest) throws(HTTPClientError) -> HTTPResponse

    func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPResponse { try answer(request) }

    func stream(
        _ request: HTTPClientRequest, onHead: (HTTPResponse) throws -> Void,
        onBytes: (ArraySlice<UInt8>) throws -> Bool
    ) throws {
        let response = try answer(request)
        try onHead(HTTPResponse(response.status, fields: response.fields))
        if !response.body.isEmpty { _ = try onBytes(response.body[...]) }
    }
}

@Suite struct HTTPToolTests {
    private let folder = TemporaryFolder()

    private func run(
        _ arguments: JSONValue, allow: [String] = [], resolvesTo addresses: [String] = ["93.184.216.34"],
        secrets: [String] = [],
        _ answer: @escaping @Sendable (HTTPClientRequest) throws(HTTPClientError) -> HTTPResponse
    ) throws -> Result<JSONObject, ToolFailure> {
        let egress = EgressRule(allowed: allow.compactMap { HTTPAuthority($0) }) { _, port throws(ResolveError) in
            addresses.compactMap { SocketAddress(numeric: $0, port: port) }
        }
        let tools = ToolBox.standard(
            sandbox: Sandbox(level: .none), runner: ScriptedRunner.echo(), egress: egress, clock: SystemClock(),
            connect: { _, _ in ScriptedNet(answer: answer) })
        let workdir = Workdir(path: folder.path, folder: try Folder(folder.path), isTemporary: false)
        let input = ToolInput(
            runID: "run_1", stepID: "step_1", arguments: arguments, workdir: workdir, masker: Masker(secrets))
        return try tools[.http]!.prepare(input).run(PreparedCall.Permit())
    }

    private func failure(_ result: Result<JSONObject, ToolFailure>) -> ToolFailure? {
        if case .failure(let failure) = result { failure } else { nil }
    }

    private let get: JSONValue = ["method": "GET", "url": "http://example.org/data"]
    private let post: JSONValue = ["method": "POST", "url": "http://example.org/reports", "json": ["n": 1]]

    @Test func `a JSON answer is recorded as JSON, with the fields worth keeping`() throws {
        let output = try run(get, secrets: ["swordfish"]) { _ in
            HTTPResponse(
                .ok, fields: ["content-type": "application/json", "set-cookie": "a=b", "etag": "x"],
                body: Array(#"{"n":1,"key":"swordfish"}"#.utf8))
        }.get()
        #expect(output["json"] == ["n": 1, "key": "***"])
        #expect(output["headers"] == ["content-type": "application/json", "etag": "x"])
        #expect(output["status"] == 200)
    }

    @Test func `a redirect is an answer and is not followed`() throws {
        let failed = failure(try run(get) { _ in HTTPResponse(.found, fields: ["location": "http://10.0.0.1/"]) })
        #expect(failed?.code == "http_status")
        #expect(failed?.details["status"] == 302)
        let expecting: JSONValue = ["method": "GET", "url": "http://example.org/", "expect_status": [302]]
        let output = try run(expecting) { _ in HTTPResponse(.found, fields: ["location": "/x"]) }.get()
        #expect(output["headers"]?["location"] == "/x")
    }

    @Test func `what was never sent has failed, what got no answer is uncertain`() throws {
        let unreachable = failure(try run(post) { _ throws(HTTPClientError) in throw .unreachable("refused") })
        #expect(unreachable?.isUncertain == false)
        #expect(unreachable?.isRetryable == true)
        let timeout = failure(try run(post) { _ throws(HTTPClientError) in throw .timeout("slow") })
        #expect(timeout?.isUncertain == true)
        let broken = failure(try run(post) { _ throws(HTTPClientError) in throw .broken("reset") })
        #expect(broken?.isUncertain == true)
    }

    @Test func `a server's trouble is retried, its refusal is not`() throws {
        #expect(failure(try run(get) { _ in HTTPResponse(.badGateway) })?.isRetryable == true)
        #expect(failure(try run(get) { _ in HTTPResponse(.notFound) })?.isRetryable == false)
        #expect(failure(try run(post) { _ in HTTPResponse(.badGateway) })?.isRetryable == false)
        #expect(failure(try run(post) { _ in HTTPResponse(.serviceUnavailable) })?.isRetryable == true)
    }

    @Test func `a body comes from a file beneath the workdir`() throws {
        folder.write("report.txt", "numbers")
        let arguments: JSONValue = ["method": "POST", "url": "http://example.org/", "body_file": "report.txt"]
        let output = try run(arguments) { request in
            guard case .file(let path, 7) = request.body, let bytes = try? Files.read(path, bytesMax: 99) else {
                return HTTPResponse(.badRequest)
            }
            return HTTPResponse(.ok, body: bytes)
        }.get()
        #expect(output["text"] == "numbers")
    }

    @Test(arguments: [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::",
        "fe80::1",
        "fd00::1", "100.64.0.1",
    ])
    func `nothing but the public net is reached`(_ address: String) throws {
        let refused = #expect(throws: ToolFailure.self) {
            try run(get, resolvesTo: ["93.184.216.34", address]) { _ in HTTPResponse(.ok) }
        }
        #expect(refused?.code == "egress_refused")
    }

    @Test func `what the operator names exactly is reached all the same`() throws {
        let local: JSONValue = ["method": "GET", "url": "http://127.0.0.1:8099/x"]
        #expect(
            try run(local, allow: ["127.0.0.1:8099"], resolvesTo: ["127.0.0.1"]) { _ in HTTPResponse(.ok) }.get()[
                "status"] == 200)
        #expect(throws: ToolFailure.self) {
            try run(local, allow: ["127.0.0.1:8098"], resolvesTo: ["127.0.0.1"]) { _ in HTTPResponse(.ok) }
        }
    }

    @Test func `https is refused until the gateway comes`() {
        let failure = #expect(throws: ToolFailure.self) {
            try run(["method": "GET", "url": "https://example.org/"]) { _ in HTTPResponse(.ok) }
        }
        #expect(failure?.code == "tls_not_available")
    }

    @Test func `an answer larger than the limit fails a read and is cut for a write`() throws {
        let body = [UInt8](repeating: 97, count: (10 << 20) + 1)
        #expect(failure(try run(get) { _ in HTTPResponse(.ok, body: body) })?.code == "response_too_large")
        #expect(try run(post) { _ in HTTPResponse(.ok, body: body) }.get()["body_incomplete"] == true)
    }

    @Test func `a write without an answer parks the run, a read without one is a failure`() {
        for (step, end) in [
            (["id": "s", "tool": "http", "with": post] as JSONValue, RunExecutor.End.parked),
            (["id": "s", "tool": "http", "with": get], .failed),
        ] {
            var bench = Bench()
            bench.egress = EgressRule(allowed: []) { _, port throws(ResolveError) in
                [SocketAddress(numeric: "93.184.216.34", port: port)!]
            }
            bench.connect = { _, _ in ScriptedNet { _ throws(HTTPClientError) in throw .timeout("slow") } }
            #expect(bench.run(step) == end)
            if end == .parked {
                #expect(bench.api.waits == [Wait(.unknown, planStepID: "s", toolCallID: "tc_s")])
                #expect(bench.api.seen("/tc_s/fail").first?.body["error"]?["code"] == "outcome_unknown")
            }
        }
    }
}
