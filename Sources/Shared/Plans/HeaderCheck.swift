import JSON

/// Checks the headers of an `http` call.
struct HeaderCheck {
    let arguments: ArgumentCheck

    /// What belongs to the connection, which the engine alone decides about.
    static let refusedNames: Set<String> = [
        "connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    func check(_ value: JSONValue, at pointer: PlanPointer) {
        if arguments.isOpen(value) { return }
        guard case .object(let headers) = value else {
            return arguments.log.add(pointer, "expected an object of strings, found \(described(value))")
        }
        guard headers.count <= ArgumentSchema.headersMax else {
            return arguments.log.add(
                pointer, "expected at most \(ArgumentSchema.headersMax) headers, found \(headers.count)")
        }
        var seen: Set<String> = []
        for (name, value) in headers {
            let place = pointer.member(name)
            checkName(name, seen: &seen, at: place)
            checkValue(value, at: place)
        }
    }

    private func checkName(_ name: String, seen: inout Set<String>, at pointer: PlanPointer) {
        let lowercase = name.lowercased()
        if name.isEmpty || !name.utf8.allSatisfy(\.isTokenByte) {
            arguments.log.add(pointer, "expected the name of a header, found \(quoted(name))")
        } else if Self.refusedNames.contains(lowercase) {
            arguments.log.add(pointer, "expected no header \(quoted(name)): the engine sets it; take it out")
        } else if !seen.insert(lowercase).inserted {
            arguments.log.add(pointer, "expected each header once, found \(quoted(name)) again in another case")
        }
    }

    private func checkValue(_ value: JSONValue, at pointer: PlanPointer) {
        guard let open = arguments.text(value, "a string", at: pointer) else { return }
        let isClean = open.skeleton.utf8.allSatisfy { !$0.isControl || $0 == UInt8(ascii: "\t") }
        arguments.require(isClean, at: pointer, "expected a header without line ends and control characters, found one")
        arguments.requireBytes(open.skeleton, atMost: ArgumentSchema.headerBytesMax, at: pointer)
    }
}

extension UInt8 {
    /// A byte of a token (RFC 9110, 5.6.2).
    fileprivate var isTokenByte: Bool { isLetter || isDigit || "!#$%&'*+-.^_`|~".utf8.contains(self) }
}
