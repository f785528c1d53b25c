import HTTP
import JSON
import Shared

/// `docs/reference/ENDPOINTS.md`: all that a client has to know of each route, from the same values that OpenAPI is
/// printed from.
struct EndpointPage {
    private let document: JSONValue
    private let endpoints: [EndpointDescription]
    /// Refusals that nearly every route shares: told once.
    private let common: Set<ReasonCode>

    init(_ endpoints: [EndpointDescription]) {
        self.endpoints = endpoints.sorted { ($0.path, $0.method.rawValue) < ($1.path, $1.method.rawValue) }
        document = OpenAPIDocument.make(endpoints)
        var counts: [ReasonCode: Int] = [:]
        for endpoint in endpoints where endpoint.bodyKind == .json && endpoint.takesOperator {
            for code in endpoint.refusals { counts[code, default: 0] += 1 }
        }
        let most = counts.values.max() ?? 0
        common = Set(counts.filter { $0.value == most }.keys)
    }

    var text: String {
        var page = "## Overview\n\n| endpoint | who | |\n|---|---|---|\n"
        for endpoint in endpoints {
            page += "| [`\(name(endpoint))`](#\(anchor(endpoint))) | \(endpoint.access) | \(endpoint.summary) |\n"
        }
        page += "\n## What holds everywhere\n\n\(Self.everywhere)\n"
        let codes = common.sorted { ($0.status.code, $0.rawValue) < ($1.status.code, $1.rawValue) }
        page += "\n## Refusals that are everywhere\n\n" + refusals(codes) + "\n"
        for endpoint in endpoints { page += section(endpoint) }
        page += "\n## Records\n\nWhat answers are made of. `?` marks what may be null.\n"
        for (name, schema) in document.at(pointer: "/components/schemas")?.objectValue ?? [:] {
            page += "\n### \(name)\n\n" + members(schema)
        }
        return page
    }

    private static let everywhere = """
        - Requests: `authorization: Bearer …`, or `x-engine-id` with `x-engine-token`. `x-workspace-id` selects the workspace for \
        the operator (`ws_dev` without it); sessions and engines have theirs, and the field is not looked at. `x-claim-token` is \
        as good as the member `claim_token`. `x-request-id` and `x-correlation-id` of 8 to 128 harmless characters are taken over, \
        and so is a W3C `traceparent`.
        - `Idempotency-Key` on a POST: the same key and body again give the first answer, with `idempotent-replayed: true`, for \
        24 hours; another body is `idempotency_conflict`. Answers that hold a credential are not kept.
        - Bodies are JSON objects of at most 1 MiB. A member that is null is as one that is not there; unknown ones are ignored.
        - Answers carry `x-request-id`, `x-correlation-id` and mostly `x-workspace-id`; a change also `x-commit-seq`, the \
        `global_seq` of its last event.
        - Lists: `limit` is clamped to its bounds. `next_cursor` goes on, null ends; it is also there as `Link: <…>; rel="next"`. A \
        full last page has a cursor that leads to an empty one.
        - Reads have an `ETag`; `If-None-Match` gives 304. A blank query parameter is as none.
        - A thing of another workspace is answered exactly as one that does not exist.
        """

    private func name(_ endpoint: EndpointDescription) -> String { "\(endpoint.method.rawValue) \(endpoint.path)" }

    /// As the usual renderers of Markdown make it of the heading.
    private func anchor(_ endpoint: EndpointDescription) -> String {
        name(endpoint).lowercased().filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
            .replacing(" ", with: "-")
    }

    private func section(_ endpoint: EndpointDescription) -> String {
        let pointer = JSONPointer.escape(endpoint.path)
        guard let operation = document.at(pointer: "/paths/\(pointer)/\(endpoint.method.rawValue.lowercased())") else {
            preconditionFailure("\(endpoint.path) is not in the document")
        }
        var text = "\n## `\(name(endpoint))`\n\n\(endpoint.summary) Who: \(endpoint.access).\n"
        if let notes = endpoint.notes { text += "\n\(notes)\n" }
        if !endpoint.query.isEmpty {
            text += "\n| query | | |\n|---|---|---|\n"
            for parameter in operation["parameters"]?.arrayValue ?? [] where parameter["in"] == "query" {
                let need = parameter["required"] == true ? ", required" : ""
                let type = parameter["schema"].map { Self.type($0) } ?? ""
                text += "| `\(parameter["name"]?.stringValue ?? "")` | \(type)\(need) |"
                text += " \(parameter["description"]?.stringValue ?? "") |\n"
            }
        }
        if let schema = operation.at(pointer: "/requestBody/content/application~1json/schema") {
            text += "\nBody:\n\n" + members(schema)
        } else if endpoint.bodyKind == .bytes {
            text += "\nBody: the bytes.\n"
        }
        if let example = endpoint.example { text += "\n```json\n\(JSON.pretty(example))\n```\n" }
        text += "\nAnswers \(success(endpoint, operation)).\n"
        let own = endpoint.refusals.filter { !common.contains($0) }
        if !own.isEmpty { text += "\n" + refusals(own) }
        return text
    }

    private func success(_ endpoint: EndpointDescription, _ operation: JSONValue) -> String {
        let content = operation.at(pointer: "/responses/\(endpoint.success.code)/content")?.objectValue ?? [:]
        let types = content.map { type, media in
            type == "application/json" ? media["schema"].map { Self.type($0) } ?? type : "`\(type)`"
        }
        let others = endpoint.also.map { "\($0.code)" }
        let more = others.isEmpty ? "" : ", or \(others.joined(separator: ", "))"
        return "\(endpoint.success.code) with \(types.joined(separator: " or "))\(more)"
    }

    private func refusals(_ codes: [ReasonCode]) -> String {
        var text = "| status | codes |\n|---|---|\n"
        let groups = Dictionary(grouping: codes, by: \.status.code)
        for status in groups.keys.sorted() {
            let names = groups[status]!.map(\.rawValue).sorted().map { "`\($0)`" }
            text += "| \(status) | \(names.joined(separator: ", ")) |\n"
        }
        return text
    }

    private func members(_ schema: JSONValue) -> String {
        let required = Set((schema["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        guard let members = schema["properties"]?.objectValue else { return "An object.\n" }
        let isAnswer = !required.isEmpty && members.allSatisfy { required.contains($0.key) }
        var text = "| member | |\n|---|---|\n"
        for (name, member) in members {
            let need = !isAnswer && required.contains(name) ? ", required" : ""
            text += "| `\(name)` | \(Self.type(member))\(need) |\n"
        }
        return text
    }

    /// A schema in a few words.
    private static func type(_ schema: JSONValue) -> String {
        if let name = schema["$ref"]?.stringValue?.split(separator: "/").last {
            return "[\(name)](#\(name.lowercased()))"
        }
        if let choices = schema["anyOf"]?.arrayValue {
            let words = choices.filter { $0["const"] == nil && $0["type"] != "null" }.map { type($0) }
            return words.joined(separator: " or ") + (choices.contains(["type": "null"]) ? "?" : "")
        }
        var words: [String] = []
        var names = schema["type"]?.arrayValue?.compactMap(\.stringValue) ?? [schema["type"]?.stringValue ?? "any"]
        let isNullable = names.contains("null") && names.count > 1
        names.removeAll { $0 == "null" }
        if let choices = schema["enum"]?.arrayValue?.compactMap(\.stringValue).filter({ !$0.isEmpty }) {
            words.append(choices.map { "`\($0)`" }.joined(separator: " · ") + (isNullable ? "?" : ""))
        } else if names == ["array"], let items = schema["items"] {
            words.append("array of \(type(items))")
        } else {
            words.append((schema["format"]?.stringValue ?? names.joined(separator: " or ")) + (isNullable ? "?" : ""))
        }
        if let most = schema["maxLength"]?.intValue { words.append("at most \(most) bytes") }
        if let most = schema["maxItems"]?.intValue { words.append("at most \(most)") }
        if let least = schema["minimum"]?.intValue, let most = schema["maximum"]?.intValue {
            words.append("\(least) … \(most)")
        }
        return words.joined(separator: ", ")
    }
}
