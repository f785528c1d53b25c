import JSON

/// Checks the address of an `http` call. Policy decides by its host, so the host must not be hidden.
struct URLCheck {
    let arguments: ArgumentCheck

    func check(_ value: JSONValue, at pointer: PlanPointer) {
        if case .string(let source) = value, let open = OpenText(source) {
            checkSecretPlaces(open, at: pointer)
        }
        guard let open = arguments.text(value, "an http:// or https:// address", at: pointer) else { return }
        arguments.requireBytes(open.skeleton, atMost: ArgumentSchema.urlBytesMax, at: pointer)
        let isClean = open.skeleton.utf8.allSatisfy { !$0.isControl && $0 != 0x20 && $0 != UInt8(ascii: "\\") }
        arguments.require(
            isClean, at: pointer,
            "expected an address without blanks, backslashes and control characters, found one; percent-encode it")
        if !open.knownHead.isEmpty { checkKnown(open, at: pointer) }
    }

    private func checkKnown(_ open: OpenText, at pointer: PlanPointer) {
        guard let start = Self.authorityStart(open.knownHead) else {
            return arguments.log.add(
                pointer, "expected an address that starts with http:// or https://, or with a template; found another")
        }
        let authority = open.skeleton.utf8.dropFirst(start).prefix { !$0.endsAuthority }
        arguments.require(!authority.isEmpty, at: pointer, "expected a host after ://, found none")
        arguments.require(
            !authority.contains(UInt8(ascii: "@")), at: pointer,
            "expected no user or password in the address, found an @ before the path; use a header and a secret")
    }

    /// A secret may stand only where the host is already complete, or comes from a template that is not resolved yet.
    private func checkSecretPlaces(_ open: OpenText, at pointer: PlanPointer) {
        var known = ""
        for segment in open.template.segments {
            switch segment {
            case .text(let text): known += text
            case .reference(.secret):
                let start = Self.authorityStart(known)
                let isBehindHost = start.map { known.utf8.dropFirst($0).contains { $0.endsAuthority } } ?? false
                return arguments.require(
                    isBehindHost, at: pointer,
                    "expected no secret in the scheme and host of the address: policy decides by the host;"
                        + " write the host out")
            case .reference: return
            }
        }
    }

    /// How many bytes come before the authority; nil when the scheme is another.
    private static func authorityStart(_ text: String) -> Int? {
        let lowercase = text.lowercased()
        return ["http://", "https://"].first { lowercase.utf8.starts(with: $0.utf8) }?.utf8.count
    }
}

extension UInt8 {
    fileprivate var endsAuthority: Bool { "/?#".utf8.contains(self) }
}
