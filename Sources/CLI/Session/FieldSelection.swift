package import JSON
import Shared

/// The members of an answer that `--json a,b.c` asks for. What there is to ask for is read off the answer's type, so that
/// a slip is noticed before anything is asked, and in an empty list too.
package struct FieldSelection: Sendable {
    private static let namesMax = 64

    private let names: [String]
    private let shape: Shape

    /// - Throws: Exit 2 with all valid names, when one of these is none.
    package init<Answer: Decodable>(_ names: [String], of type: Answer.Type) throws {
        var probe = JSONSchemaProbe(.answer, referencePrefix: "")
        (self.names, shape) = (names, Shape(probe.schema(of: type)))
        guard names.count <= Self.namesMax else {
            throw Failure(.usage, "--json takes at most \(Self.namesMax) names, not \(names.count)")
        }
        if let stranger = names.first(where: { shape.find($0) == nil }) {
            let near = Nearest.to(stranger, among: shape.names).map { ["--json \($0)"] } ?? []
            throw Failure(
                .usage, "--json knows no '\(stranger)'; the names are \(shape.names.joined(separator: ", "))",
                next: near)
        }
    }

    /// Of one thing an object, of a list an array of them; a member is named as it was asked for.
    package func pick(from answer: JSONValue) -> JSONValue {
        guard let thing = shape.thing, let value = answer[thing.name] else { return row(answer, answer) }
        if thing.isList { return .array((value.arrayValue ?? []).map { row($0, answer) }) }
        return row(value, answer)
    }

    private func row(_ thing: JSONValue, _ answer: JSONValue) -> JSONValue {
        var row = JSONObject()
        for name in names {
            let path = name.split(separator: ".").map(String.init)
            let isOfThing = shape.thing.map { Shape.find(path[...], in: $0.schema) != nil } ?? true
            row[name] = Self.value(at: path[...], in: isOfThing ? thing : answer)
        }
        return .object(row)
    }

    /// Through a list it is the list of what its elements have.
    private static func value(at path: ArraySlice<String>, in value: JSONValue) -> JSONValue {
        guard let name = path.first else { return value }
        if let elements = value.arrayValue { return .array(elements.map { self.value(at: path, in: $0) }) }
        return self.value(at: path.dropFirst(), in: value[name] ?? .null)
    }

    /// What an answer is made of.
    private struct Shape: Sendable {
        /// The one thing, or the list of things, that the answer is about: its first member.
        var thing: (name: String, isList: Bool, schema: JSONValue)?
        var answer: JSONValue

        init(_ schema: JSONValue) {
            answer = schema
            guard let first = schema["properties"]?.objectValue?.first(where: { _ in true }) else { return }
            if let items = first.value["items"], items["properties"] != nil {
                thing = (first.key, true, items)
            } else if first.value["properties"] != nil {
                thing = (first.key, false, first.value)
            }
        }

        /// What may stand first in a name.
        var names: [String] {
            guard let thing else { return Self.members(answer) }
            let own = Self.members(thing.schema)
            return thing.isList ? own : own + Self.members(answer).filter { $0 != thing.name && !own.contains($0) }
        }

        func find(_ name: String) -> JSONValue? {
            let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard let thing else { return Self.find(path[...], in: answer) }
            return Self.find(path[...], in: thing.schema)
                ?? (thing.isList ? nil : Self.find(path[...], in: answer))
        }

        /// The schema at a path; one that says nothing of its members has any.
        static func find(_ path: ArraySlice<String>, in schema: JSONValue) -> JSONValue? {
            guard let name = path.first else { return schema }
            if let items = schema["items"] { return find(path, in: items) }
            if let choices = schema["anyOf"]?.arrayValue { return choices.lazy.compactMap { find(path, in: $0) }.first }
            guard let members = schema["properties"]?.objectValue else {
                return isOpen(schema) ? [:] : nil
            }
            return members[name].flatMap { find(path.dropFirst(), in: $0) }
        }

        private static func isOpen(_ schema: JSONValue) -> Bool {
            guard let type = schema["type"] else { return true }
            return type == "object" || type.arrayValue?.contains("object") == true
        }

        private static func members(_ schema: JSONValue) -> [String] {
            schema["properties"]?.objectValue?.keys ?? []
        }
    }
}
