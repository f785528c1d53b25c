import HTTP
import HTTPClient
import HTTPServer
import JSON
import Platform
import Shared
import Synchronization
import Testing

/// Stands between engines and the api, passes everything on, and remembers what an engine holds: so that a test can
/// write in the name of an engine that is dead.
final class EngineGate: RequestHandler {
    struct Claim: Sendable {
        var engineID: EngineID
        var engineToken: String
        var run: RunID
        var claimToken: String
        var attemptNo: Int
    }

    private static let deadlineMilliseconds = 60_000

    private let upstream: SocketTransport
    private let server = Mutex<HTTPServer?>(nil)
    private let claims = Mutex<[Claim]>([])

    init(to api: SocketAddress) { upstream = SocketTransport(pinned: api, hostHeader: "\(api)") }

    /// Where engines find the api.
    func start() throws -> SocketAddress {
        let server = HTTPServer(handler: self)
        self.server.withLock { $0 = server }
        return try server.start(at: try #require(SocketAddress(numeric: "127.0.0.1", port: 0)))
    }

    func stop() {
        guard let server = server.withLock({ $0 }) else { return }
        server.drain(graceMilliseconds: 100)
        server.waitUntilStopped()
    }

    /// The claims of the run, first first.
    func claims(of run: RunID) -> [Claim] { claims.withLock { $0.filter { $0.run == run } } }

    func plan(for head: HTTPRequest) -> BodyPlan { .buffer(bytesMax: 1 << 26) }

    func handle(_ request: HTTPRequest) -> Reply {
        let deferred = DeferredReply()
        let cancellation = HTTPCancellation()
        var passed = HTTPClientRequest(request.method, request.target.raw)
        for (name, value) in request.fields
        where !["host", "connection", "content-length", "transfer-encoding", "expect"].contains(name.text) {
            passed.fields.append(name, value)
        }
        if request.method != .get { passed.body = .bytes(request.body) }
        passed.deadlineMilliseconds = Self.deadlineMilliseconds
        passed.cancellation = cancellation
        deferred.onCancel { cancellation.cancel() }
        Thread.start("gate") { [self, passed] in
            let response: HTTPResponse
            do throws(HTTPClientError) {
                response = try upstream.send(passed)
            } catch {
                return deferred.complete(HTTPResponse(.serviceUnavailable))
            }
            if request.target.path == "/v1/runs/claim" { note(request, response) }
            deferred.complete(response)
        }
        return .later(deferred)
    }

    private func note(_ request: HTTPRequest, _ response: HTTPResponse) {
        guard let run = try? JSON.parse(response.body)["run"], let id = run["run_id"]?.stringValue,
            let token = run["claim_token"]?.stringValue, let engine = request.fields[.xEngineID],
            let secret = request.fields[.xEngineToken]
        else { return }
        let claim = Claim(
            engineID: EngineID(engine), engineToken: secret, run: RunID(id), claimToken: token,
            attemptNo: Int(run["attempt_no"]?.intValue ?? 0))
        claims.withLock { $0.append(claim) }
    }

    func problem(_ failure: HTTPParseFailure) -> HTTPResponse { HTTPResponse(.badRequest) }
}
