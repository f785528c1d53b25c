package import HTTP

/// An operation as both ends know it: method, path, the types of what goes in and comes out, the status of success, and
/// what the reference and `/openapi.json` say about it.
package struct Endpoint<Body: Sendable, Answer>: Sendable {
    package var method: HTTPMethod
    /// A template: a segment in braces is a parameter, as in `/v1/runs/{run_id}`.
    package var path: String
    package var success: HTTPStatus
    /// The name of the static member that makes it: the `operationId`.
    package var name: String
    /// What it does, for people: a sentence or two.
    package var summary: String
    /// What a client has to know beyond the types.
    package var notes: String?
    /// Everything the handler reads from the query.
    package var query: [QueryParameter]
    /// Other answers that are no refusals, such as 202 for "an approval first".
    package var also: [HTTPStatus]
    /// Other shapes of the answer, which a parameter asks for.
    package var alternatives: [any (Decodable & Sendable).Type]
    /// The media types it answers with.
    package var answers: [String]
    /// The refusals of its own, beside those that follow from its access, its body and its query.
    package var refuses: [ReasonCode]
    /// A body that is accepted; tests send it. Well-known identifiers in it stand for things of the test's own.
    package var example: Body?

    package init(
        _ method: HTTPMethod, _ path: String, _ summary: String, _ success: HTTPStatus = .ok,
        query: [QueryParameter] = [], also: [HTTPStatus] = [],
        answers: [String] = ["application/json"],
        alternatives: [any (Decodable & Sendable).Type] = [], refuses: [ReasonCode] = [], example: Body? = nil,
        notes: String? = nil,
        name: String = #function
    ) {
        (self.method, self.path, self.summary, self.success) = (method, path, summary, success)
        (self.query, self.also, self.answers, self.refuses) = (query, also, answers, refuses)
        self.alternatives = alternatives
        (self.example, self.notes, self.name) = (example, notes, name)
    }

    /// The target of a request: parameters filled in, everything percent-encoded. A missing parameter is a bug.
    package func target(_ parameters: [String: String] = [:], query: [(String, String)] = []) -> String {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).map { segment -> String in
            guard segment.first == "{", segment.last == "}" else { return String(segment) }
            let name = String(segment.dropFirst().dropLast())
            guard let value = parameters[name] else { preconditionFailure("\(path) needs the parameter \(name)") }
            return PercentEncoding.encode(value)
        }
        return segments.joined(separator: "/") + PercentEncoding.query(query)
    }
}
