/// A text that is signed by a key with a name (C2SP signed-note, https://c2sp.org/signed-note).
package struct NoteKey: Sendable {
    /// Without spaces and plus signs.
    package let name: String
    private let key: Ed25519
    /// Ed25519, in the numbering of C2SP.
    private static let algorithm: UInt8 = 1

    package init(name: String, _ key: Ed25519) { (self.name, self.key) = (name, key) }

    private var id: [UInt8] {
        Array(SHA256.digest(Array(name.utf8) + [UInt8(ascii: "\n"), Self.algorithm] + key.publicKey).prefix(4))
    }

    /// The public key in one line: `<name>+<key id>+<base64>`.
    package var verifierKey: String {
        "\(name)+\(HexText.of(id))+\(Base64.text([Self.algorithm] + key.publicKey))"
    }

    /// The text with its signature.
    /// - Parameter text: Ends in a line end.
    package func sign(_ text: String) -> String {
        "\(text)\n\u{2014} \(name) \(Base64.text(id + key.sign(Array(text.utf8))))\n"
    }

    /// The signed text, if it is one of this key.
    package func verified(_ note: String) -> String? {
        guard let end = note.range(of: "\n\n") else { return nil }
        let text = note[..<end] + "\n"
        return note == sign(String(text)) ? String(text) : nil
    }
}

extension String {
    /// The index of the first occurrence's beginning.
    fileprivate func range(of text: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}

/// RFC 4648, 4.
package enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = part.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
            for place in 0..<4 {
                text.append(place <= part.count ? digits[Int(bits >> UInt32(18 - 6 * place)) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
