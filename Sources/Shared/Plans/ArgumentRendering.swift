package import JSON

extension PlanStep {
    /// The arguments of a call: templates resolved, secrets left in place (see `Template.SecretHandling.keep`), and
    /// numbers and booleans that templates brought into places for text (`argv`, `env`, `headers`, …) written as text.
    /// Throws what the lookup throws. Check the answer with `ToolCatalogue.callFaults`.
    package func resolvedArguments(with lookup: (TemplateReference) throws -> JSONValue) throws -> JSONValue {
        let resolved = try Template.resolve(arguments, secrets: .keep, with: lookup)
        return ToolCatalogue.entry(tool).arguments?.rendering(resolved) ?? resolved
    }
}

extension ArgumentSchema {
    /// The same arguments with numbers and booleans as text where only text can stand.
    func rendering(_ arguments: JSONValue) -> JSONValue {
        guard case .object(var members) = arguments else { return arguments }
        for field in fields {
            if let value = members[field.name] { members[field.name] = field.shape.rendering(value) }
        }
        return .object(members)
    }
}

extension ArgumentShape {
    fileprivate func rendering(_ value: JSONValue) -> JSONValue {
        switch self {
        case .file, .folder, .text, .title, .url: value.asText
        case .argv, .environment, .headers: value.withTextMembers
        case .flag, .instant, .integer, .method, .mode, .object, .script, .statuses, .value: value
        }
    }
}

extension JSONValue {
    fileprivate var asText: JSONValue {
        switch self {
        case .bool, .integer, .number: .string(Template.rendered(self))
        case .null, .string, .array, .object: self
        }
    }

    fileprivate var withTextMembers: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.asText))
        case .object(let members): .object(JSONObject(members.map { ($0.key, $0.value.asText) }))
        case .null, .bool, .integer, .number, .string: self
        }
    }
}
