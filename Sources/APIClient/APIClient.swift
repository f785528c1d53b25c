package import HTTP
package import HTTPClient
import JSON
package import Shared

/// Calls the api by its endpoints: bodies and answers typed, refusals as the server's own problem.
package struct APIClient: Sendable {
    /// Who the caller is.
    package enum Credential: Sendable {
        /// The operator token, or nothing in the header mode.
        case bearer(String?)
        case engine(EngineID, token: String)
    }

    package var transport: any HTTPTransport
    package var credential: Credential
    package var workspace: WorkspaceID?

    package init(transport: any HTTPTransport, credential: Credential, workspace: WorkspaceID? = nil) {
        (self.transport, self.credential, self.workspace) = (transport, credential, workspace)
    }

    /// How long a call may take when the caller does not say.
    package static let deadlineMillisecondsDefault = 15_000
    package static let connectMillisecondsMax = 3_000
    package static let answerBytesMax = 64 << 20

    /// Sends the body and reads the answer.
    /// - Throws: ``APIFailure``: the server's refusal, or why there is no answer.
    package func call<Body: Encodable, Answer: Decodable>(
        _ endpoint: Endpoint<Body, Answer>, _ body: Body, _ parameters: [String: String] = [:],
        query: [(String, String)] = [], fields: HTTPFields = [:],
        deadlineMilliseconds: Int = deadlineMillisecondsDefault, cancellation: HTTPCancellation? = nil
    ) throws(APIFailure) -> Answer {
        try answer(endpoint, body, parameters, query, fields, deadlineMilliseconds, cancellation).answer
    }

    /// The same, with the status: for endpoints whose 2xx statuses mean different things.
    package func answer<Body: Encodable, Answer: Decodable>(
        _ endpoint: Endpoint<Body, Answer>, _ body: Body, _ parameters: [String: String] = [:],
        _ query: [(String, String)] = [], _ fields: HTTPFields = [:],
        _ deadlineMilliseconds: Int = deadlineMillisecondsDefault, _ cancellation: HTTPCancellation? = nil
    ) throws(APIFailure) -> (status: HTTPStatus, answer: Answer) {
        var request = self.request(
            endpoint.method, endpoint.target(parameters, query: query), fields: fields,
            deadlineMilliseconds: deadlineMilliseconds)
        request.cancellation = cancellation
        if endpoint.method != .get {
            guard let bytes = try? JSON.encode(body) else { throw .badAnswer("the request body cannot be written") }
            request.body = .bytes(bytes)
            request.fields.append(.contentType, "application/json")
        }
        let response = try send(request)
        do {
            return (response.status, try JSON.decode(Answer.self, from: response.body, limits: Self.answerLimits))
        } catch {
            throw .badAnswer("\(endpoint.method.rawValue) \(endpoint.path): \(error)")
        }
    }

    /// A request with the caller's credential and workspace, for what is not JSON (uploads, downloads, streams).
    package func request(
        _ method: HTTPMethod, _ target: String, fields: HTTPFields = [:],
        deadlineMilliseconds: Int = deadlineMillisecondsDefault
    ) -> HTTPClientRequest {
        var fields = fields
        switch credential {
        case .bearer(let token?): fields.append(.authorization, "Bearer \(token)")
        case .bearer(nil): break
        case .engine(let id, let token):
            fields.append(.xEngineID, id.rawValue)
            fields.append(.xEngineToken, token)
        }
        if let workspace { fields.append(.xWorkspaceID, workspace.rawValue) }
        var request = HTTPClientRequest(method, target, fields: fields)
        request.deadlineMilliseconds = deadlineMilliseconds
        request.connectMilliseconds = min(Self.connectMillisecondsMax, deadlineMilliseconds)
        request.responseBytesMax = Self.answerBytesMax
        return request
    }

    /// Sends any request; what is not 2xx is thrown as the server's problem.
    package func send(_ request: HTTPClientRequest) throws(APIFailure) -> HTTPResponse {
        let response: HTTPResponse
        do throws(HTTPClientError) {
            response = try transport.send(request)
        } catch {
            throw .transport(error)
        }
        guard (200..<300).contains(response.status.code) else { throw APIFailure(response) }
        return response
    }

    private static let answerLimits: JSONLimits = {
        var limits = JSONLimits.standard
        limits.bytesMax = answerBytesMax
        limits.valuesMax = 5_000_000
        return limits
    }()
}

/// Why a call brought no answer.
package enum APIFailure: Error, CustomStringConvertible {
    /// The server refused, and says why.
    case refused(Problem)
    /// There was no answer; unless the connection was never made, the call may have been carried out.
    case transport(HTTPClientError)
    /// There was an answer that this program does not understand.
    case badAnswer(String)

    /// Reads a response that is not 2xx.
    package init(_ response: HTTPResponse) {
        if let problem = try? JSON.decode(Problem.self, from: response.body) {
            self = .refused(problem)
        } else {
            self = .badAnswer("status \(response.status.code) without a problem document")
        }
    }

    /// The server's code, if it refused with one this program knows.
    package var code: ReasonCode? {
        if case .refused(let problem) = self { problem.code } else { nil }
    }

    package var description: String {
        switch self {
        case .refused(let problem): "\(problem.detail) (\(problem.reasonCode))"
        case .transport(let error): "\(error)"
        case .badAnswer(let detail): "unexpected answer: \(detail)"
        }
    }
}
