package import JSON

/// What the templates of a run can see, secrets apart.
package struct TemplateScope: Hashable, Sendable {
    package let runID: String
    package let input: JSONValue
    /// The recorded outputs (redacted, capped) of the steps that have ended.
    package var outputs: [PlanStepID: JSONValue]

    package init(runID: String, input: JSONValue, outputs: [PlanStepID: JSONValue] = [:]) {
        self.runID = runID
        self.input = input
        self.outputs = outputs
    }

    /// The lookup for `Template.resolve`. Throws when there is nothing at the path, and for secrets.
    package func value(of reference: TemplateReference) throws(TemplateError) -> JSONValue {
        switch reference {
        case .runID: return .string(runID)
        case .runInput(let path): return try Self.walk(path, in: input, for: reference)
        case .step(let id, let path):
            guard let output = outputs[id] else {
                throw TemplateError("expected an output for \(reference), found none: step \(id) has not produced one")
            }
            return try Self.walk(path, in: output, for: reference)
        case .secret: throw TemplateError("expected no secret in this place, found \(reference)")
        }
    }

    private static func walk(
        _ path: [String], in root: JSONValue, for reference: TemplateReference
    ) throws(TemplateError) -> JSONValue {
        var value = root
        for part in path {
            guard let next = child(part, of: value) else {
                throw TemplateError(
                    "expected a value at \(reference), found nothing: no \(quoted(part)) in \(described(value))")
            }
            value = next
        }
        return value
    }

    private static func child(_ part: String, of value: JSONValue) -> JSONValue? {
        switch value {
        case .object(let members): return members[part]
        case .array(let elements):
            guard let index = Int(part), elements.indices.contains(index) else { return nil }
            return elements[index]
        case .null, .bool, .integer, .number, .string: return nil
        }
    }
}
