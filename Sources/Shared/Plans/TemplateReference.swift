/// What a template `${{ … }}` refers to.
package enum TemplateReference: Hashable, Sendable, CustomStringConvertible {
    /// `steps.<id>.output.<path>`; an empty path is the whole output.
    case step(PlanStepID, path: [String])
    /// `run.input.<path>`
    case runInput(path: [String])
    /// `run.id`
    case runID
    /// `secrets.<NAME>`
    case secret(String)

    package static let pathPartsMax = 32
    package static let pathPartBytesMax = 128
    package static let secretNameBytesMax = 64

    /// Reads what stands between the braces, already without whitespace around it.
    package init(parsing text: String) throws(TemplateError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        switch parts[0] {
        case "steps": self = try Self.step(parts, in: text)
        case "run": self = try Self.run(parts, in: text)
        case "secrets": self = try Self.secret(parts, in: text)
        default:
            throw TemplateError(
                "expected a template that starts with steps., run. or secrets., found \(quoted(text));"
                    + " templates are paths, without logic")
        }
    }

    /// The path as it stands in a template.
    package var description: String {
        switch self {
        case .step(let id, let path): (["steps", id.rawValue, "output"] + path).joined(separator: ".")
        case .runInput(let path): (["run", "input"] + path).joined(separator: ".")
        case .runID: "run.id"
        case .secret(let name): "secrets.\(name)"
        }
    }

    private static func step(_ parts: [String], in text: String) throws(TemplateError) -> Self {
        guard parts.count >= 3, parts[2] == "output", let id = PlanStepID(rawValue: parts[1]) else {
            throw TemplateError("expected steps.<id>.output.<path>, found \(quoted(text))")
        }
        return .step(id, path: try path(parts.dropFirst(3), in: text))
    }

    private static func run(_ parts: [String], in text: String) throws(TemplateError) -> Self {
        if parts == ["run", "id"] { return .runID }
        guard parts.count >= 3, parts[1] == "input" else {
            throw TemplateError("expected run.id or run.input.<path>, found \(quoted(text))")
        }
        return .runInput(path: try path(parts.dropFirst(2), in: text))
    }

    private static func secret(_ parts: [String], in text: String) throws(TemplateError) -> Self {
        guard parts.count == 2, isSecretName(parts[1].utf8) else {
            throw TemplateError(
                "expected secrets.<NAME> with a name of A-Z, 0-9 and _ that starts with a letter"
                    + " (at most \(secretNameBytesMax) bytes), found \(quoted(text))")
        }
        return .secret(parts[1])
    }

    private static func isSecretName(_ name: String.UTF8View) -> Bool {
        guard let first = name.first, first.isUpperLetter, name.count <= secretNameBytesMax else { return false }
        return name.allSatisfy { $0.isUpperLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
    }

    private static func path(_ parts: ArraySlice<String>, in text: String) throws(TemplateError) -> [String] {
        guard parts.count <= pathPartsMax, parts.allSatisfy({ isPathPart($0.utf8) }) else {
            throw TemplateError(
                "expected a path of at most \(pathPartsMax) keys or indices of letters, digits, _ and - with dots"
                    + " between them, found \(quoted(text))")
        }
        return Array(parts)
    }

    private static func isPathPart(_ part: String.UTF8View) -> Bool {
        (1...pathPartBytesMax).contains(part.count)
            && part.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }
}

/// Why a template cannot be read or has no value; one sentence.
package struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    package let detail: String

    package init(_ detail: String) { self.detail = detail }

    package var description: String { detail }
}
