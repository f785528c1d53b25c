package import JSON

extension Plan {
    /// The plan as JSON with all defaults written out; `parse` reads the same plan from it.
    package var json: JSONValue {
        [
            "version": .integer(Int64(Plan.version)), "workdir": workdir.json, "limits": limits.json,
            "steps": .array(steps.map(\.json)),
        ]
    }
}

extension PlanWorkdir {
    fileprivate var json: JSONValue {
        members([("path", path.map(JSONValue.string)), ("isolation", .string(isolation.rawValue))])
    }
}

extension PlanLimits {
    fileprivate var json: JSONValue {
        [
            "timeout_ms": .integer(Int64(timeoutMs)), "max_parallel": .integer(Int64(maxParallel)),
            "max_tool_calls": .integer(Int64(maxToolCalls)),
        ]
    }
}

extension PlanStep {
    fileprivate var json: JSONValue {
        members([
            ("id", .string(id.rawValue)), ("tool", .string(tool.rawValue)), ("title", title.map(JSONValue.string)),
            ("with", arguments), ("needs", .array(needs.map { .string($0.rawValue) })),
            ("when", .string(when.rawValue)), ("retry", retry.json),
            ("timeout_ms", timeoutMs.map { .integer(Int64($0)) }),
            ("effect", declaredEffect.map { .string($0.rawValue) }),
            ("artifacts", .array(artifacts.map(\.json))), ("continue_on_error", .bool(continueOnError)),
        ])
    }
}

extension Retry {
    fileprivate var json: JSONValue {
        [
            "max_attempts": .integer(Int64(maxAttempts)), "initial_ms": .integer(Int64(initialMs)),
            "factor": JSONValue(number: factor), "max_ms": .integer(Int64(maxMs)),
        ]
    }
}

extension PlanArtifact {
    fileprivate var json: JSONValue {
        let place: (String, JSONValue?) =
            switch source {
            case .path(let path): ("path", .string(path))
            case .glob(let glob): ("glob", .string(glob))
            }
        return members([place, ("kind", .string(kind)), ("title", title.map(JSONValue.string))])
    }
}

/// An object of the members that are there.
private func members(_ pairs: [(String, JSONValue?)]) -> JSONValue {
    .object(JSONObject(pairs.compactMap { name, value in value.map { (name, $0) } }))
}
