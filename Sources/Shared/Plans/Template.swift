package import JSON

/// A string with `${{ path }}` in it, taken apart.
///
/// Before `{{` a pair of dollars stands for one dollar, so `$${{` is the text `${{`, `$$${{ run.id }}` a dollar and a
/// template, `$$$${{` the text `$${{`. Elsewhere dollars are plain text.
package struct Template: Hashable, Sendable {
    /// Without two texts in a row, and without empty texts.
    package let segments: [Segment]

    package enum Segment: Hashable, Sendable {
        case text(String)
        case reference(TemplateReference)
    }

    package init(parsing source: String) throws(TemplateError) {
        var scanner = TemplateScanner(source)
        segments = try scanner.segments()
    }

    /// The reference when the string is nothing else; its value keeps its JSON type.
    package var wholeReference: TemplateReference? {
        guard segments.count == 1, case .reference(let reference) = segments[0] else { return nil }
        return reference
    }

    package var references: [TemplateReference] {
        segments.compactMap { if case .reference(let reference) = $0 { reference } else { nil } }
    }

    /// The string as it is written in a plan.
    package var source: String {
        var source = ""
        for (index, segment) in segments.enumerated() {
            switch segment {
            case .text(let text): source += Self.escaped(text, beforeReference: index + 1 < segments.count)
            case .reference(let reference): source += "${{ \(reference) }}"
            }
        }
        return source
    }

    /// All references in the strings of a value, in order; strings that are no templates are passed over.
    package static func references(in value: JSONValue) -> [TemplateReference] {
        switch value {
        case .string(let text): (try? Template(parsing: text))?.references ?? []
        case .array(let elements): elements.flatMap(references(in:))
        case .object(let members): members.flatMap { references(in: $0.value) }
        case .null, .bool, .integer, .number: []
        }
    }

    /// What `resolve` does with `${{ secrets.X }}`.
    package enum SecretHandling: Hashable, Sendable {
        /// Leaves it in place. The answer is a template still: text that looks like a template, for example from the
        /// output of a step, comes out escaped, so that it can never name a secret. `resolveSecrets` must follow.
        case keep
        /// Asks the lookup, as for the others.
        case resolve
    }

    /// Replaces the templates in all strings of a value (never in member names). A string that is one template
    /// becomes the value as it is; inside a longer string values are rendered as text. Throws what the lookup throws,
    /// or `TemplateError` for bad syntax.
    package static func resolve(
        _ value: JSONValue, secrets: SecretHandling, with lookup: (TemplateReference) throws -> JSONValue
    ) throws -> JSONValue {
        switch value {
        case .null, .bool, .integer, .number: return value
        case .string(let text): return try Template(parsing: text).resolved(secrets: secrets, with: lookup)
        case .array(let elements):
            return .array(try elements.map { try resolve($0, secrets: secrets, with: lookup) })
        case .object(let members):
            var resolved = JSONObject()
            for (key, value) in members { resolved[key] = try resolve(value, secrets: secrets, with: lookup) }
            return .object(resolved)
        }
    }

    /// The second pass, at the moment of use: puts the secrets in and undoes the escapes of the first pass.
    /// Throws `TemplateError` when anything but a secret was left.
    package static func resolveSecrets(
        in value: JSONValue, with secret: (_ name: String) throws -> String
    ) throws -> JSONValue {
        try resolve(value, secrets: .resolve) { reference in
            guard case .secret(let name) = reference else {
                throw TemplateError("expected nothing but secrets to be left open, found \(reference)")
            }
            return .string(try secret(name))
        }
    }

    /// A value inside a string: strings raw, all else as canonical JSON.
    package static func rendered(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .null, .bool, .integer, .number, .array, .object: canonicalText(value)
        }
    }

    /// The value with every text in it written so that it is no template.
    package static func escaped(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool, .integer, .number: return value
        case .string(let text): return .string(escaped(text, beforeReference: false))
        case .array(let elements): return .array(elements.map { escaped($0) })
        case .object(let members):
            var result = JSONObject()
            for (key, value) in members { result[key] = escaped(value) }
            return .object(result)
        }
    }

    private func resolved(
        secrets: SecretHandling, with lookup: (TemplateReference) throws -> JSONValue
    ) throws -> JSONValue {
        if let whole = wholeReference, !Self.isKept(whole, secrets) {
            let value = try lookup(whole)
            return secrets == .keep ? Self.escaped(value) : value
        }
        var merged: [Segment] = []
        for segment in segments { merged.append(try Self.resolved(segment, secrets: secrets, with: lookup)) }
        let result = Template(merging: merged)
        return .string(secrets == .keep ? result.source : result.plainText)
    }

    private static func resolved(
        _ segment: Segment, secrets: SecretHandling, with lookup: (TemplateReference) throws -> JSONValue
    ) throws -> Segment {
        guard case .reference(let reference) = segment, !isKept(reference, secrets) else { return segment }
        return .text(rendered(try lookup(reference)))
    }

    private static func isKept(_ reference: TemplateReference, _ secrets: SecretHandling) -> Bool {
        guard case .secret = reference else { return false }
        return secrets == .keep
    }

    /// Joins neighbouring texts: two harmless ones, such as `$` and `{{ … }}`, may form a template together.
    private init(merging parts: [Segment]) {
        var merged: [Segment] = []
        for part in parts {
            if case .text(let tail) = part, case .text(let head)? = merged.last {
                merged[merged.count - 1] = .text(head + tail)
            } else {
                merged.append(part)
            }
        }
        segments = merged
    }

    /// The texts alone; only called when no reference is left.
    private var plainText: String {
        segments.reduce(into: "") { result, segment in
            if case .text(let text) = segment { result += text }
        }
    }

    /// Doubles every run of dollars that stands before `{{`, or at the end when a reference follows.
    private static func escaped(_ text: String, beforeReference: Bool) -> String {
        let bytes = Array(text.utf8)
        var escaped: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let dollars = bytes[index...].prefix { $0 == UInt8(ascii: "$") }
            if dollars.isEmpty {
                escaped.append(bytes[index])
                index += 1
                continue
            }
            let opensHere = bytes[dollars.endIndex...].starts(with: TemplateScanner.opening)
            let touchesReference = beforeReference && dollars.endIndex == bytes.count
            escaped += opensHere || touchesReference ? dollars + dollars : dollars
            index = dollars.endIndex
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}

/// Reads a string from left to right, by bytes: grapheme clusters would hide a brace with a combining mark.
private struct TemplateScanner {
    static let opening = Array("{{".utf8)
    static let closing = Array("}}".utf8)

    private let bytes: [UInt8]
    private var index = 0
    private var text: [UInt8] = []
    private var found: [Template.Segment] = []

    init(_ source: String) { bytes = Array(source.utf8) }

    mutating func segments() throws(TemplateError) -> [Template.Segment] {
        while index < bytes.count {
            let dollars = bytes[index...].prefix { $0 == UInt8(ascii: "$") }
            if dollars.isEmpty {
                text.append(bytes[index])
                index += 1
            } else {
                index = dollars.endIndex
                try take(dollars)
            }
        }
        flush()
        return found
    }

    private mutating func take(_ dollars: ArraySlice<UInt8>) throws(TemplateError) {
        guard bytes[index...].starts(with: Self.opening) else {
            text += dollars
            return
        }
        text += dollars.prefix(dollars.count / 2)
        index += Self.opening.count
        if dollars.count.isMultiple(of: 2) {
            text += Self.opening
        } else {
            flush()
            found.append(.reference(try reference()))
        }
    }

    private mutating func reference() throws(TemplateError) -> TemplateReference {
        let start = index
        while index < bytes.count, !bytes[index...].starts(with: Self.closing) { index += 1 }
        guard index < bytes.count else {
            throw TemplateError("expected }} after ${{, found the end of the text; write $${{ for the plain text ${{")
        }
        let inside = bytes[start..<index]
        index += Self.closing.count
        return try TemplateReference(parsing: String(decoding: inside.trimmed, as: UTF8.self))
    }

    private mutating func flush() {
        if !text.isEmpty { found.append(.text(String(decoding: text, as: UTF8.self))) }
        text = []
    }
}

extension ArraySlice<UInt8> {
    /// Without spaces, tabs and line ends around it.
    fileprivate var trimmed: Self {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        let head = drop { blanks.contains($0) }
        let end = head.lastIndex { !blanks.contains($0) }.map { $0 + 1 } ?? head.startIndex
        return head[head.startIndex..<end]
    }
}
