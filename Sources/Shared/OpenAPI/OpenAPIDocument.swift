import HTTP
package import JSON

/// OpenAPI 3.1 of a list of endpoints: everything in it is read off their definitions and types.
package enum OpenAPIDocument {
    package static let version = "3.1.1"

    package static func make(_ endpoints: [EndpointDescription]) -> JSONValue {
        var answers = JSONSchemaProbe(.answer, referencePrefix: "#/components/schemas/")
        _ = answers.schema(of: Problem.self)
        var paths: [String: JSONObject] = [:]
        for endpoint in endpoints {
            paths[endpoint.path, default: [:]][endpoint.method.rawValue.lowercased()] = operation(endpoint, &answers)
        }
        var written = JSONObject()
        for path in paths.keys.sorted() { written[path] = .object(paths[path]!) }
        var schemas = JSONObject()
        for name in answers.components.keys.sorted() { schemas[name] = answers.components[name] }
        return [
            "openapi": .string(version),
            "info": [
                "title": "AgentOS api", "version": .string(ReleaseVersion.text),
                "description": .string(about), "license": ["name": "MIT", "identifier": "MIT"],
            ],
            "servers": [["url": "/"]],
            "security": [["bearer": []]],
            "paths": .object(written),
            "components": ["schemas": .object(schemas), "securitySchemes": securitySchemes],
        ]
    }

    private static let about = """
        Append immutable events, read what follows from them. Every error is `application/problem+json` with a code in \
        `reason_code`. `x-workspace-id` selects the workspace (default `ws_dev`) where the credential does not. \
        `Idempotency-Key` makes a POST safe to send again. Unknown members of a body are ignored. Every answer carries \
        `x-request-id` and `x-correlation-id`, every change also `x-commit-seq`, the `global_seq` of its last event. \
        Any request may be answered 421 (the host is not ours), 403 `origin_not_allowed`, 431 or 503.
        """

    private static let securitySchemes: JSONValue = [
        "bearer": [
            "type": "http", "scheme": "bearer",
            "description": "The operator's token from `operator.token` in the data directory.",
        ],
        "engineID": ["type": "apiKey", "in": "header", "name": "x-engine-id"],
        "engineToken": [
            "type": "apiKey", "in": "header", "name": "x-engine-token",
            "description": "With `x-engine-id`: an engine's own credential.",
        ],
    ]

    // MARK: One operation

    private static func operation(_ endpoint: EndpointDescription, _ answers: inout JSONSchemaProbe) -> JSONValue {
        var operation: JSONObject = [
            "operationId": .string(endpoint.name), "summary": .string(endpoint.summary),
            "tags": [.string(tag(endpoint.path))],
            "description": .string(
                (["Who: \(endpoint.access)."] + [endpoint.notes].compactMap(\.self)).joined(separator: "\n\n")),
        ]
        operation["security"] = security(endpoint)
        let parameters = endpoint.pathParameters.map(pathParameter) + endpoint.query.map(queryParameter)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        switch endpoint.bodyKind {
        case .none: break
        case .json: operation["requestBody"] = body(endpoint)
        case .bytes:
            operation["requestBody"] = [
                "required": true,
                "content": ["application/octet-stream": ["schema": ["type": "string", "format": "binary"]]],
            ]
        }
        operation["responses"] = responses(endpoint, &answers)
        return .object(operation)
    }

    /// The resource: the first segment behind the version.
    private static func tag(_ path: String) -> String {
        let segments = path.split(separator: "/").drop { $0 == "v1" }
        return segments.first.map(String.init) ?? "root"
    }

    private static func security(_ endpoint: EndpointDescription) -> JSONValue {
        if endpoint.isOpen { return [] }
        let engine: JSONValue = ["engineID": [], "engineToken": []]
        var ways: [JSONValue] = []
        if endpoint.takesOperator { ways.append(["bearer": []]) }
        if endpoint.takesEngine { ways.append(engine) }
        return .array(ways)
    }

    private static func pathParameter(_ name: String) -> JSONValue {
        [
            "name": .string(name), "in": "path", "required": true,
            "schema": ["type": "string", "minLength": 1, "maxLength": .integer(pathParameterCharactersMax)],
        ]
    }

    /// The router's limit, in bytes; a client that keeps to it in characters of ASCII is safe.
    private static let pathParameterCharactersMax: Int64 = 100

    private static func queryParameter(_ parameter: QueryParameter) -> JSONValue {
        let schema: JSONValue =
            switch parameter.kind {
            case .text, .flag: ["type": "string"]
            // A blank value is as none.
            case .choice(let words): ["type": "string", "enum": .array((words + [""]).map { .string($0) })]
            // A limit beyond the bounds is clamped, so it is not wrong.
            case .integer(_, isClamped: true): orBlank(["type": "integer"])
            case .integer(let range, isClamped: false):
                orBlank([
                    "type": "integer", "minimum": .integer(range.lowerBound),
                    "maximum": .integer(min(range.upperBound, QueryParameter.integerMax)),
                ])
            case .time: orBlank(["type": "string", "format": "date-time"])
            case .list(let itemsMax):
                ["type": "array", "items": ["type": "string"], "maxItems": .integer(Int64(itemsMax))]
            }
        return [
            "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
            "description": .string(parameter.summary), "schema": schema,
        ]
    }

    /// A blank value is as none.
    private static func orBlank(_ schema: JSONValue) -> JSONValue { ["anyOf": [schema, ["const": ""]]] }

    // MARK: Bodies

    private static func body(_ endpoint: EndpointDescription) -> JSONValue {
        var probe = JSONSchemaProbe(.request, referencePrefix: "")
        var schema = (endpoint.bodyType as? any Decodable.Type).map { probe.schema(of: $0) } ?? ["type": "object"]
        schema = FieldRule.written(endpoint.rules, into: schema)
        var content: JSONObject = ["schema": schema]
        if let example = endpoint.example { content["example"] = example }
        return [
            "required": .bool(endpoint.rules.contains { $0.missing != nil }),
            "content": ["application/json": .object(content)],
        ]
    }

    // MARK: Answers

    private static func responses(_ endpoint: EndpointDescription, _ answers: inout JSONSchemaProbe) -> JSONValue {
        var responses: [Int: JSONValue] = [:]
        for status in [endpoint.success] + endpoint.also {
            responses[status.code] = success(status, endpoint, &answers)
        }
        for (status, codes) in Dictionary(grouping: endpoint.refusals, by: \.status.code) {
            responses[status] = refusal(codes.map(\.rawValue).sorted())
        }
        var written = JSONObject()
        for status in responses.keys.sorted() { written[String(status)] = responses[status] }
        return .object(written)
    }

    private static func success(
        _ status: HTTPStatus, _ endpoint: EndpointDescription, _ answers: inout JSONSchemaProbe
    ) -> JSONValue {
        var response: JSONObject = ["description": .string(status.phrase)]
        guard status != .noContent, status != .notModified else { return .object(response) }
        var content = JSONObject()
        for type in endpoint.answers {
            var schema: JSONValue = ["type": "string"]
            if type == "application/json", let answer = endpoint.answerType as? any Decodable.Type {
                schema = answers.schema(of: answer)
                let others = endpoint.alternatives.map { answers.schema(of: $0) }
                if !others.isEmpty { schema = ["anyOf": .array([schema] + others)] }
            }
            content[type] = type == "*/*" ? [:] : ["schema": schema]
        }
        response["content"] = .object(content)
        return .object(response)
    }

    /// The codes stand where a client looks for the status that it got.
    private static func refusal(_ codes: [String]) -> JSONValue {
        [
            "description": .string(codes.joined(separator: ", ")),
            "content": [Problem.mediaType: ["schema": ["$ref": "#/components/schemas/Problem"]]],
        ]
    }
}

extension FieldRule {
    /// The rules as keywords of the body's schema.
    fileprivate static func written(_ rules: [FieldRule], into schema: JSONValue) -> JSONValue {
        guard !rules.isEmpty, var object = schema.objectValue, var members = object["properties"]?.objectValue else {
            return schema
        }
        var required = (object["required"]?.arrayValue ?? [])
        for rule in rules {
            guard var member = members[rule.name]?.objectValue else {
                preconditionFailure("a rule speaks of \(rule.name), which the body does not have")
            }
            if rule.missing != nil {
                required.append(.string(rule.name))
                // Null is as good as missing.
                if let types = member["type"]?.arrayValue { member["type"] = types[0] }
                if let words = member["enum"]?.arrayValue { member["enum"] = .array(words.filter { !$0.isNull }) }
            }
            switch rule.bound {
            case .bytes(let most):
                if rule.missing != nil { member["minLength"] = 1 }
                member["maxLength"] = .integer(Int64(most))
            case .items(let most, let bytesMax):
                member["maxItems"] = .integer(Int64(most))
                if member["items"]?["type"] == "string" {
                    member["items"] = ["type": "string", "maxLength": .integer(Int64(bytesMax))]
                }
            case .choice(let words):
                let null: [JSONValue] = rule.missing == nil ? [.null] : []
                member["enum"] = .array(words.map { .string($0) } + null)
            case .integer(let range):
                member["minimum"] = .integer(range.lowerBound)
                member["maximum"] = .integer(range.upperBound)
            case .any: break
            case .object:
                member["type"] = rule.missing == nil ? ["object", "null"] : "object"
            }
            members[rule.name] = .object(member)
        }
        object["properties"] = .object(members)
        if !required.isEmpty { object["required"] = .array(required) }
        return .object(object)
    }
}
