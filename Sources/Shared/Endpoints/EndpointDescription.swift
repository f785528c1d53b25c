package import HTTP
package import JSON

/// An endpoint without its types: what the reference pages, `/openapi.json` and the authorization matrix read.
package struct EndpointDescription: Sendable {
    /// How a body is taken.
    package enum BodyKind: Hashable, Sendable { case none, json, bytes }

    package var method: HTTPMethod
    package var path: String
    package var name: String
    package var summary: String
    package var notes: String?
    package var success: HTTPStatus
    package var also: [HTTPStatus]
    package var answers: [String]
    package var alternatives: [any (Decodable & Sendable).Type]
    package var query: [QueryParameter]
    package var bodyKind: BodyKind
    /// The types, for their schemas.
    package var bodyType: any Any.Type
    package var answerType: any Any.Type
    package var rules: [FieldRule]
    package var example: JSONValue?
    /// Who may use it, in words.
    package var access: String
    package var takesOperator: Bool
    package var takesEngine: Bool
    /// Whether it needs no credential.
    package var isOpen: Bool { !takesOperator && !takesEngine }
    /// Every reason code it may refuse with, sorted.
    package var refusals: [ReasonCode]

    /// - Parameter accessRefusals: What a caller without the right to it is told.
    package init<Body, Answer>(
        _ endpoint: Endpoint<Body, Answer>, _ bodyKind: BodyKind, example: JSONValue? = nil, access: String,
        takesOperator: Bool, takesEngine: Bool, accessRefusals: [ReasonCode]
    ) {
        (method, path, name, summary) = (endpoint.method, endpoint.path, endpoint.name, endpoint.summary)
        (success, also, query, self.bodyKind) = (endpoint.success, endpoint.also, endpoint.query, bodyKind)
        (bodyType, answerType, self.example) = (Body.self, Answer.self, example)
        rules = (Body.self as? any RuledBody.Type)?.rules ?? []
        (answers, alternatives, notes) = (endpoint.answers, endpoint.alternatives, endpoint.notes)
        (self.access, self.takesOperator, self.takesEngine) = (access, takesOperator, takesEngine)
        var codes = Set(endpoint.refuses + accessRefusals + Self.always)
        codes.formUnion(query.compactMap(\.refusal))
        codes.formUnion(rules.flatMap { [$0.missing, $0.refusal].compactMap(\.self) })
        if path.contains("{") { codes.insert(.routeNotFound) }
        if method != .get { codes.formUnion(Self.writing) }
        switch bodyKind {
        case .none: break
        case .json: codes.formUnion(Self.reading)
        case .bytes: codes.insert(.payloadTooLarge)
        }
        refusals = codes.sorted { $0.rawValue < $1.rawValue }
    }

    /// The identifiers in the path, in its order.
    package var pathParameters: [String] {
        path.split(separator: "/").filter { $0.first == "{" }.map { String($0.dropFirst().dropLast()) }
    }

    private static let always: [ReasonCode] = [
        .ambiguousParameter, .badRequest, .draining, .hostNotAllowed, .internalError, .originNotAllowed, .overloaded,
        .storageUnavailable,
    ]
    private static let writing: [ReasonCode] = [
        .answerErased, .idempotencyConflict, .invalidIdempotencyKey, .storageFull,
    ]
    private static let reading: [ReasonCode] = [
        .duplicateKey, .invalidBody, .invalidField, .invalidJSON, .invalidString, .invalidUTF8, .jsonTooDeep,
        .missingField, .numberOutOfRange, .payloadTooLarge, .unsupportedMediaType,
    ]
}
