/// Header fields in their order, kept as the lines that go over the wire: reading copies one value, writing copies all.
package struct HTTPFields: Sendable {
    /// Every field as `name: value CRLF`, names in lower case.
    private(set) var wire: [UInt8] = []
    private var lines: [Line] = []
    /// Whether a value has a byte that would end the line: a response with such a field is never sent.
    private(set) var isUnsafe = false
    /// Whether there is a field that belongs to the connection, not to the message (see ``isOwnedByConnection(_:)``).
    private(set) var hasConnectionFields = false

    private struct Line: Sendable {
        var start: Int32
        var valueStart: Int32
        var end: Int32
    }

    package init() {}

    package var count: Int { lines.count }
    package var isEmpty: Bool { lines.isEmpty }

    /// The first value of the field; nil when there is none. Setting replaces all of that name, nil removes.
    package subscript(name: HTTPFieldName) -> String? {
        get {
            for line in lines where isNamed(line, name) { return value(of: line) }
            return nil
        }
        set {
            if let newValue { set(name, newValue) } else { remove(name) }
        }
    }

    /// All values of the field, in order.
    package func all(_ name: HTTPFieldName) -> [String] {
        lines.filter { isNamed($0, name) }.map(value(of:))
    }

    package func contains(_ name: HTTPFieldName) -> Bool { lines.contains { isNamed($0, name) } }

    package mutating func append(_ name: HTTPFieldName, _ value: String) {
        var name = name.text
        var value = value
        name.withUTF8 { name in value.withUTF8 { value in appendLine(name: name, value: value) } }
    }

    /// Replaces every field of that name with one.
    package mutating func set(_ name: HTTPFieldName, _ value: String) {
        if contains(name) { remove(name) }
        append(name, value)
    }

    package mutating func remove(_ name: HTTPFieldName) {
        guard contains(name) else { return }
        self = without { $0 == name.text }
    }

    /// Appends a line; the name is lower-cased on the way.
    mutating func appendLine(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        let start = wire.count
        if lines.isEmpty {
            wire.reserveCapacity(256)
            lines.reserveCapacity(8)
        }
        for byte in name { wire.append(ASCII.lowercased(byte)) }
        wire.append(ASCII.colon)
        wire.append(ASCII.space)
        let valueStart = wire.count
        wire.append(contentsOf: value)
        let end = wire.count
        wire.append(ASCII.carriageReturn)
        wire.append(ASCII.lineFeed)
        let line = Line(start: Int32(start), valueStart: Int32(valueStart), end: Int32(end))
        lines.append(line)
        if value.contains(where: { $0 < 0x20 && $0 != ASCII.tab || $0 == 0x7F }) || name.isEmpty
            || name.contains(where: { !ASCII.token.contains($0) })
        {
            isUnsafe = true
        }
        if Self.isOwnedByConnection(length: name.count), Self.connectionOwned.contains(nameText(of: line)) {
            hasConnectionFields = true
        }
    }

    /// The fields that the server writes itself, whatever a handler says.
    private static let connectionOwned: Set<String> = [
        "connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade", "x-content-type-options",
    ]
    /// A cheap first look: whether any of ``connectionOwned`` is that long.
    private static func isOwnedByConnection(length: Int) -> Bool {
        switch length {
        case 4, 7, 10, 14, 17, 22: true
        default: false
        }
    }

    /// Without the fields that the server writes itself.
    func withoutConnectionFields() -> HTTPFields { without { Self.connectionOwned.contains($0) } }

    private func without(_ unwanted: (String) -> Bool) -> HTTPFields {
        var kept = HTTPFields()
        for line in lines where !unwanted(nameText(of: line)) {
            wire.withUnsafeBufferPointer { wire in
                kept.appendLine(
                    name: .init(rebasing: wire[Int(line.start)..<Int(line.valueStart) - 2]),
                    value: .init(rebasing: wire[Int(line.valueStart)..<Int(line.end)]))
            }
        }
        return kept
    }

    private func isNamed(_ line: Line, _ name: HTTPFieldName) -> Bool {
        let utf8 = name.text.utf8
        let start = Int(line.start)
        guard utf8.count == Int(line.valueStart) - 2 - start else { return false }
        var index = start
        for byte in utf8 {
            if wire[index] != byte { return false }
            index += 1
        }
        return true
    }

    private func nameText(of line: Line) -> String {
        String(decoding: wire[Int(line.start)..<Int(line.valueStart) - 2], as: UTF8.self)
    }

    private func value(of line: Line) -> String {
        String(decoding: wire[Int(line.valueStart)..<Int(line.end)], as: UTF8.self)
    }
}

extension HTTPFields: Hashable {
    package static func == (left: HTTPFields, right: HTTPFields) -> Bool { left.wire == right.wire }
    package func hash(into hasher: inout Hasher) { hasher.combine(wire) }
}

extension HTTPFields: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (HTTPFieldName, String)...) {
        for (name, value) in elements { append(name, value) }
    }
}

extension HTTPFields: Sequence {
    package func makeIterator() -> some IteratorProtocol<(name: HTTPFieldName, value: String)> {
        lines.map { (name: HTTPFieldName(nameText(of: $0)), value: value(of: $0)) }.makeIterator()
    }
}

extension HTTPFields: CustomStringConvertible {
    package var description: String { String(decoding: wire, as: UTF8.self) }
}
