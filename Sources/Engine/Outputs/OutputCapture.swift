import Crypto
package import JSON
import Shared

/// What a program writes, or any long text: secrets masked first, then head, tail, size and digest kept.
package struct OutputCapture {
    private static let headBytesMax = RecordedText.bytesMax
    private static let tailBytesMax = RecordedText.tailBytes

    private let masker: Masker
    private let digest = RunningSHA256()
    private var held: [UInt8] = []
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    package private(set) var totalBytes: Int64 = 0

    package init(_ masker: Masker) { self.masker = masker }

    package mutating func add(_ bytes: ArraySlice<UInt8>) {
        if masker.isEmpty { return keep(Array(bytes)) }
        held += bytes
        guard held.count >= masker.longest else { return }
        let (clean, rest) = masker.mask(held, holdingBack: masker.longest - 1)
        held = rest
        keep(clean)
    }

    /// Adds `name`, and where it had to be cut `name_truncated`, `name_bytes` and `name_sha256`.
    package mutating func write(_ name: String, to output: inout JSONObject) {
        finish()
        let isCut = totalBytes > Int64(head.count)
        let text =
            isCut
            ? RecordedText.joined(RecordedText.text(head), RecordedText.text(tail), left: totalBytes)
            : RecordedText.text(head)
        let capped = RecordedText.capped(text)
        output[name] = .string(capped.text)
        guard isCut || capped.isCut else { return }
        output["\(name)_truncated"] = true
        output["\(name)_bytes"] = .integer(totalBytes)
        output["\(name)_sha256"] = .string(digest.hex())
    }

    /// The last bytes as text, for an error.
    package mutating func ending(bytesMax: Int) -> String {
        finish()
        let all = totalBytes > Int64(head.count) ? tail : head
        return RecordedText.text(Array(all.suffix(bytesMax)))
    }

    private mutating func finish() {
        guard !held.isEmpty else { return }
        let clean = masker.masked(held)
        held = []
        keep(clean)
    }

    private mutating func keep(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        digest.update(bytes[...])
        totalBytes += Int64(bytes.count)
        head += bytes.prefix(max(0, Self.headBytesMax - head.count))
        tail = Array((tail + bytes).suffix(Self.tailBytesMax))
    }
}

/// Text as it is recorded: valid UTF-8 without NUL, of bounded length.
package enum RecordedText {
    package static let bytesMax = 64 << 10
    static let tailBytes = 16 << 10
    private static let markBytesMax = 128

    /// Any bytes as text that JSON and the store can hold.
    package static func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard bytes.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 }))
    }

    /// Head and tail when the text is too long.
    package static func capped(_ text: String) -> (text: String, isCut: Bool) {
        let bytes = text.utf8.count
        if bytes <= bytesMax { return (text, false) }
        return (joined(text, text, left: Int64(bytes)), true)
    }

    static func joined(_ head: String, _ tail: String, left total: Int64) -> String {
        let headBytes = bytesMax - tailBytes - markBytesMax
        let first = Limits.cut(head, bytesMax: headBytes)
        let last = suffix(tail, bytesMax: tailBytes)
        return "\(first)\n… cut: \(total) bytes in all …\n\(last)"
    }

    /// All strings of the value masked and capped; nil when the whole is too large all the same.
    package static func capped(_ value: JSONValue, _ masker: Masker) -> JSONValue? {
        let clean = masked(value, masker)
        return JSON.write(clean).count <= 4 * bytesMax ? clean : nil
    }

    private static func masked(_ value: JSONValue, _ masker: Masker) -> JSONValue {
        switch value {
        case .null, .bool, .integer, .number: return value
        case .string(let text): return .string(capped(masker.masked(text)).text)
        case .array(let elements): return .array(elements.map { masked($0, masker) })
        case .object(let members):
            var result = JSONObject()
            for (key, value) in members { result[masker.masked(key)] = masked(value, masker) }
            return .object(result)
        }
    }

    private static func suffix(_ text: String, bytesMax: Int) -> String {
        var start = text.utf8.index(text.endIndex, offsetBy: -bytesMax, limitedBy: text.startIndex) ?? text.startIndex
        while start.samePosition(in: text.unicodeScalars) == nil { start = text.utf8.index(after: start) }
        return String(text[start...])
    }
}
